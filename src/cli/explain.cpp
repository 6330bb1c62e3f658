#include "cost/explain.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/hardware_argument.h"
#include "cli/model_argument.h"
#include "cli/model_options.h"
#include "cost/roofline.h"

namespace ridgeline {
namespace {

struct ExplainOptions {
  std::string model, batch = "1@1000", after, hardware;
  std::vector<std::string> diff;
  PipelineOptions pipeline;
  bool all = false, json = false, passes = false;
};

const Stage& stage_after(const std::vector<Stage>& stages, const std::string& pass) {
  std::vector<std::string_view> passes;
  for (const auto& s : stages) {
    if (s.pass == pass) return s;
    passes.push_back(s.pass);
  }
  fail(ExitCode::usage, "unknown_pass", "there is no pass '{}' in this pipeline; there are: {}", pass,
       fmt::join(passes, ", "));
}

void explain_command(const ExplainOptions& o) {
  NamedModel model = named_model(o.model);
  BatchShape batch = BatchShape::parse(o.batch);
  check_names(o.pipeline.disabled);
  PipelineOptions options = o.pipeline;
  if (!options.retype.matrix) options.retype.matrix = model.retype.matrix;
  std::optional<Hardware> machine;
  if (!o.hardware.empty()) machine = hardware_argument(o.hardware), options = passes_on(*machine, options);
  auto stages = run_passes(build(model.name, DType::bf16, model.config), pipeline(options));
  std::string text;
  if (o.passes) {
    text = o.json ? stages_json(stages, batch).dump(2) + "\n" : stage_table(stages, batch);
  } else if (o.diff.empty()) {
    const Stage& stage = o.after.empty() ? stages.back() : stage_after(stages, o.after);
    std::optional<Roofline> roofline;
    if (machine) roofline.emplace(stage.program, *machine);
    const Roofline* on = roofline ? &*roofline : nullptr;
    text = o.json ? explain_json(stage, batch, on).dump(2) + "\n" : explain(stage, batch, o.all, on);
  } else {
    const Stage &before = stage_after(stages, o.diff[0]), &after = stage_after(stages, o.diff[1]);
    text = o.json ? difference_json(before, after, batch).dump(2) + "\n" : difference(before, after, batch);
  }
  for (const auto& s : batch.sequences)
    if (int64_t n = s.cached + s.fresh, most = context_of(model.config); n > most) {
      fmt::print(stderr, "note: {} was trained for {} tokens of context, and this batch has a sequence of {}\n",
                 model.name, most, n);
      break;
    }
  fmt::print("{}", text);
}

}  // namespace

void add_explain(CLI::App& app) {
  auto* c = app.add_subcommand("explain", "Show a model as a program, op by op, with what each op costs");
  auto o = std::make_shared<ExplainOptions>();
  c->add_option("model", o->model,
                "A name of the catalogue (llama-3-8b, gpt2, ...), a GGUF file, a Hugging Face directory, or "
                "USER/REPO[:QUANT], once "
                "pulled")
      ->required()
      ->option_text("MODEL")
      ->group("Model");
  c->add_option_function<std::string>(
       "--type",
       [o](const std::string& name) { o->pipeline.retype.matrix = [t = weight_type(name)](auto&&...) { return t; }; },
       "Type of weight matrices: " + weight_type_names())
      ->group("Model");
  c->add_option_function<std::string>(
       "--kv-type,--cache-type", [o](const std::string& name) { o->pipeline.retype.kv = kv_type(name); },
       "Type of the KV cache: bf16, f32")
      ->group("Model");
  c->add_option("--batch", o->batch, "The step: [COUNTx]NEW[@CACHED],...; 1@1000 is one new token on 1,000 cached")
      ->capture_default_str()
      ->group("Step");
  auto* machine =
      c->add_option(
           "--hw", o->hardware,
           "A machine: each op's roof and time there (ridgeline plan --list-hardware), a hardware file, or here: "
           "this one, calibrated")
          ->option_text("NAME|FILE|here")
          ->group("Step");
  c->add_option("--after", o->after, "Show the program as it is after this pass; `model`: before all")
      ->option_text("PASS")
      ->group("Program");
  auto* diff = c->add_option("--diff", o->diff, "Show what lies between two points of the pipeline")
                   ->expected(2)
                   ->option_text("PASS PASS")
                   ->group("Program");
  diff->excludes("--after");
  c->add_option_function<std::vector<std::string>>(
       "--disable",
       [o](const std::vector<std::string>& names) { o->pipeline.disabled.insert(names.begin(), names.end()); },
       "Leave out passes or fusions, by name: insert_kv_cache, fuse, linears, ...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->group("Program");
  c->add_flag("--textbook", o->pipeline.textbook,
              "End with `expand`: fused ops and attention as the ops they stand for")
      ->group("Program");
  c->add_flag("--passes", o->passes, "List the passes: what each left, and how long it took")->group("Program");
  c->add_flag("--all", o->all, "Show every layer, also where they are alike")->group("Output");
  c->add_flag("--json", o->json, "The same numbers as JSON, with every op")->group("Output");
  for (const char* other : {"--diff", "--passes"}) machine->excludes(c->get_option(other));
  c->footer(
      "Examples:\n"
      "  ridgeline explain llama-3-8b                               one new token on 1,000 cached\n"
      "  ridgeline explain llama-3-8b --batch 64x1@1000,512@512     64 sequences with 1 new token on 1,000, one with "
      "512 on 512\n"
      "  ridgeline explain llama-3-8b --hw h100                     where the time of the step goes on a machine\n"
      "  ridgeline explain llama-3-8b --diff quantize_activations fuse\n"
      "  ridgeline explain gpt2 --after model --batch 512");
  c->callback([o] { explain_command(*o); });
}

}  // namespace ridgeline
