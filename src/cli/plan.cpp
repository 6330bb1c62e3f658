#include "planner/plan.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text_table.h"
#include "cli/commands.h"
#include "cli/hardware_argument.h"
#include "cli/model_argument.h"
#include "cli/model_options.h"
#include "cli/output_file.h"
#include "cli/typed_command.h"
#include "cost/units.h"
#include "instance/engine_memory.h"
#include "instance/instance.h"
#include "instance/model_text.h"
#include "planner/plan_sheet.h"
#include "planner/report.h"
#include "planner/sheet_text.h"

namespace ridgeline {
namespace {

struct PlanOptions {
  std::string model, hardware = "h100-sxm", engine, step, tpot, draft, math, why;
  std::string html, svg, output = "-";  // files; a picture's name
  PlanRequest request;
  Situation situation;
  double rate = 0, memory_use = 90;
  bool json = false, list = false;
};

Situation situation_of(const NamedModel& named, const Situation& how) {
  Situation s = how;
  s.model = named.name, s.config = named.config;
  if (!s.passes.retype.matrix && named.retype.matrix)
    // The files are read while the program is made, which is later than here.
    s.passes.retype.matrix = [matrix = named.retype.matrix, files = named.files](const std::string& w, DType t) {
      return matrix(w, t);
    };
  return s;
}

// "20ms", "0.02s", "20": milliseconds where no unit is given.
double seconds_of(const std::string& text) {
  double x = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  double scale = unit == "ms" || unit.empty() ? 1e-3 : unit == "s" ? 1 : unit == "us" ? 1e-6 : 0;
  if (error != std::errc() || scale == 0 || !(x > 0) || x > 1e9)
    fail(ExitCode::usage, "bad_time", "--tpot {}: expected a time such as 20ms or 0.02s", text);
  return x * scale;
}

const Efficiency& engine_of(const Hardware& h, const std::string& name) {
  if (auto at = h.engines.find(name); at != h.engines.end()) return at->second;
  std::string known;
  for (const auto& [engine, e] : h.engines) known += (known.empty() ? "" : ", ") + engine;
  fail(ExitCode::usage, "unknown_engine", "nothing is known of '{}' on {}; known: {}", name, h.title,
       known.empty() ? "none" : known);
}

std::string hardware_list() {
  TextTable t({{"name", TextTable::Align::left},
               {"machine", TextTable::Align::left},
               {"bf16 TFLOP/s"},
               {"memory"},
               {"bandwidth"},
               {"ridge, FLOP/B"}});
  for (const Hardware& h : hardware_catalogue())
    t.row({h.name, h.title, figures(h.peak(Arithmetic::bf16).figure.value / 1e12), bytes_text(h.capacity.value),
           bytes_text(h.bandwidth.value) + "/s", figures(h.ridge(Arithmetic::bf16))});
  return t.text();
}

nlohmann::ordered_json hardware_list_json() {
  auto json = nlohmann::ordered_json::array();
  for (const Hardware& h : hardware_catalogue()) json.push_back(hardware_json(h));
  return json;
}

// Of a model that is in files here.
std::optional<EngineNeed> engine_need(const NamedModel& m, const PlanRequest& r) {
  if (!m.files || m.files->size() == 0) return {};
  Program program = apply(build(m.name, DType::bf16, m.config), r.situation.passes);
  int64_t context = std::min<int64_t>(context_of(m.config), default_context);
  EngineMemory memory(program, m.config, vocabulary_in(*m.files).has_value(), context);
  int64_t prompt = std::min(r.prompt, context), tokens = std::min(prompt + r.load.answer, context);
  return EngineNeed{.program = memory.program(),
                    .vocabulary = memory.vocabulary(),
                    .weights = memory.weights(),
                    .context = context,
                    .prompt = prompt,
                    .kv = memory.kv(tokens),
                    .kv_without_huge_pages = memory.kv(tokens, EngineMemory::small_page),
                    .scratch = memory.scratch(prompt)};
}

// --why: one number of the plan. A time may be asked for in ms, as it is printed.
void explain_number(const Plan& p, std::string name, bool json) {
  if (name.ends_with(".ms")) name.replace(name.size() - 2, 2, "seconds");
  Sheet sheet = plan_sheet(p);
  if (name == "list" && json) {
    auto all = nlohmann::ordered_json::array();
    for (const auto& n : sheet.names())
      all.push_back({{"name", n},
                     {"value", static_cast<double>(sheet.value(n))},
                     {"unit", sheet.label(n).unit},
                     {"meaning", sheet.label(n).meaning}});
    return fmt::print("{}\n", all.dump(2));
  }
  if (name == "list") {
    TextTable t({{"quantity", TextTable::Align::left}, {"value"}, {"what it is", TextTable::Align::left}});
    for (const auto& n : sheet.names()) t.row({n, amount(sheet.value(n), sheet.label(n).unit), sheet.label(n).meaning});
    return fmt::print("{}", t.text());
  }
  Sheet::Reason reason = sheet.why(name);
  fmt::print("{}", json ? reason_json(reason).dump(2) + "\n" : reason_text(reason));
}

void plan_command(PlanOptions o, const std::string& command) {
  if (o.list) return fmt::print("{}", o.json ? hardware_list_json().dump(2) + "\n" : hardware_list());
  if (o.model.empty()) fail(ExitCode::usage, "no_model", "plan needs a model (see: ridgeline plan --help)");
  o.situation.hardware = hardware_argument(o.hardware);
  if (!o.engine.empty()) o.situation.hardware.efficiency = engine_of(o.situation.hardware, o.engine);
  o.situation.memory_use = o.memory_use / 100;
  if (!o.math.empty()) {
    o.situation.math = arithmetic_named(o.math);
    if (!o.situation.math)
      fail(ExitCode::usage, "unknown_math", "--math {}: expected fp32, bf16, fp8, int8, fp4 or int4", o.math);
  }
  PlanRequest& r = o.request;
  NamedModel model = named_model(o.model);
  r.situation = situation_of(model, o.situation);
  if (!o.draft.empty()) {
    Situation how = o.situation;
    how.passes.retype = {};
    r.draft = situation_of(named_model(o.draft), how);
  }
  if (!o.svg.empty()) picture_named(o.svg);  // before the work
  if (!o.step.empty()) r.step = BatchShape::parse(o.step);
  if (!o.tpot.empty()) r.tpot = seconds_of(o.tpot);
  if (o.rate != 0) r.rate = o.rate;
  Plan p = make_plan(std::move(r));
  if (!o.why.empty()) return explain_number(p, o.why, o.json);
  if (!o.svg.empty()) write_output(o.output, picture_named(o.svg).svg(p, {}));
  p.engine = engine_need(model, p.request);
  if (!o.html.empty()) write_output(o.html, report_html(p, command));
  if (!o.svg.empty() || !o.html.empty()) return;
  fmt::print("{}", o.json ? plan_json(p).dump(2) + "\n" : plan_text(p));
}

}  // namespace

void add_plan(CLI::App& app) {
  auto* c = app.add_subcommand("plan",
                               "Say what a model takes on a machine: memory, latency, throughput, and what would help");
  auto o = std::make_shared<PlanOptions>();
  Situation& s = o->situation;
  PlanRequest& r = o->request;
  c->add_option("model", o->model,
                "A name of the catalogue, a GGUF file, a Hugging Face directory, a config.json, or USER/REPO[:QUANT], "
                "once pulled")
      ->option_text("MODEL")
      ->group("Model");
  c->add_option_function<std::string>(
       "--type",
       [&s](const std::string& t) { s.passes.retype.matrix = [type = weight_type(t)](auto&&...) { return type; }; },
       "Type of weight matrices: " + weight_type_names())
      ->group("Model");
  c->add_option_function<std::string>(
       "--kv-type,--cache-type", [&s](const std::string& t) { s.passes.retype.kv = kv_type(t); },
       "Type of the KV cache: bf16, f32")
      ->group("Model");
  c->add_option("--hw", o->hardware,
                "A machine of the catalogue, a hardware file, or here: this machine, once `calibrate` measured it")
      ->option_text("NAME|FILE|here [h100-sxm]")
      ->group("Machine");
  c->add_option("--engine", o->engine,
                "Expected times as an engine's kernels make them, of those known there: vllm, trtllm, sglang")
      ->option_text("NAME")
      ->group("Machine");
  c->add_flag("--list-hardware", o->list, "List the machines of the catalogue and exit")->group("Machine");
  c->add_option("--tp", s.tensor, "Devices each matrix is split among")->option_text("N [1]")->group("Machine");
  c->add_option("--pp", s.pipeline, "Stages the layers are split among")->option_text("N [1]")->group("Machine");
  c->add_option("--dp", s.data, "Copies that serve side by side")->option_text("N [1]")->group("Machine");
  c->add_option("--math", o->math, "What matrix products are computed in on a GPU: bf16, fp8, int8, ...")
      ->option_text("TYPE [bf16]")
      ->group("Machine");
  c->add_option("--memory-use", o->memory_use, "Percent of the memory for weights and KV cache")
      ->option_text("PERCENT [90]")
      ->check(CLI::Range(1.0, 100.0))
      ->group("Machine");
  c->add_option("-c,--ctx-size", r.context, "Tokens cached in each sequence that decodes")
      ->option_text("N [1000]")
      ->group("Situation");
  c->add_option("-p,--n-prompt", r.prompt, "Tokens of a prompt")
      ->option_text("N [the context, at most 8192]")
      ->check(CLI::Range(int64_t{1}, limits::context))
      ->group("Situation");
  c->add_option("-n,--predict", r.load.answer, "Tokens of an answer")->option_text("N [256]")->group("Situation");
  c->add_option("--batches", r.batches, "Sequences together, to show decode for")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("N,... [1,2,4 ... 512]")
      ->group("Situation");
  c->add_option("--weight-bits", s.weight_bits,
                "Bits of a weight in the layers, for types that are not run here: 8 for fp8")
      ->option_text("N")
      ->check(CLI::Range(1.0, 32.0))
      ->group("Model");
  c->add_option("--kv-bits", s.kv_bits,
                "Bits of an element of the KV cache, for types that are not run here: 8 for fp8")
      ->option_text("N")
      ->check(CLI::Range(1.0, 32.0))
      ->group("Model");
  c->add_option("--batch", o->step, "The step shown op by op: [COUNTx]NEW[@CACHED],...; none: one token on the context")
      ->group("Situation");
  c->add_option("--draft", o->draft, "A smaller model that drafts, for speculative decoding")
      ->option_text("MODEL")
      ->group("Situation");
  c->add_option("--tpot", o->tpot, "The largest batch whose steps take so long at most: 20ms")
      ->option_text("TIME")
      ->group("Questions");
  c->add_option("--tokens-per-second", o->rate, "What it would take for one sequence to get so many")
      ->option_text("N")
      ->check(CLI::PositiveNumber)
      ->group("Questions");
  c->add_flag("--fit", r.fit, "The types and numbers of devices with which it fits")->group("Questions");
  c->add_option("--why", o->why,
                "Where a number comes from, its inputs and what it is sensitive to: decode.ms, kv.tokens; `list`: all")
      ->option_text("NAME")
      ->group("Questions");
  c->add_flag("--json", o->json, "The same numbers as JSON")->group("Output");
  std::string pictures;
  for (const auto& picture : plan_pictures()) pictures += (pictures.empty() ? "" : ", ") + std::string(picture.name);
  c->add_option("--html", o->html, "Write a report with pictures, one page for a browser; - is standard output")
      ->option_text("FILE")
      ->group("Output");
  c->add_option("--svg", o->svg, "A picture of the report as SVG: " + pictures)->option_text("NAME")->group("Output");
  c->add_option("-o,--output", o->output, "Where the picture goes")->option_text("FILE [-]")->group("Output");
  c->footer(
      "Examples:\n"
      "  ridgeline plan llama-3-8b --hw h100                    the answers, and the tables behind them\n"
      "  ridgeline plan llama-3-70b --hw h100 --tp 4 --fit      will it fit, and how\n"
      "  ridgeline plan llama-3-8b --engine vllm                what to expect, and not only what is possible\n"
      "  ridgeline plan llama-3-8b --tpot 20ms                  how many requests at 20 ms a token\n"
      "  ridgeline plan llama-3-8b --draft llama-3.2-1b         what speculative decoding would bring\n"
      "  ridgeline plan llama-3-8b --why decode.ms              where a number comes from\n"
      "  ridgeline plan model.gguf --hw rtx-4090 -c 4000\n"
      "  ridgeline plan llama-3-8b --html report.html           the same with pictures, for a browser\n"
      "  ridgeline plan llama-3-8b --svg roofline -o r.svg      one of them");
  c->callback([o, c] { plan_command(*o, typed_command(*c)); });
}

}  // namespace ridgeline
