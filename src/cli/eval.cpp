#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/eval_text.h"
#include "cli/model_argument.h"
#include "cli/model_options.h"
#include "cli/terminal.h"
#include "cli/text_input.h"
#include "eval/multiple_choice.h"
#include "eval/perplexity.h"

namespace ridgeline {
namespace {

struct EvalOptions {
  ModelOptions model;
  std::string text, questions, compare;
  int64_t stride = 0, limit = -1;
  bool chunks = false, all = false, json = false, quiet = false;
};

constexpr int64_t usual_context = 512;  // llama.cpp's tool's

// The reference of --compare: another file, or the same one computed otherwise.
ModelOptions reference_of(const EvalOptions& o) {
  ModelOptions other = o.model;
  if (o.compare == "fp32" || o.compare == "f32") {
    other.instance.weights = DType::f32, other.instance.kv = DType::f32;
  } else if (o.compare.find_first_of("./") != std::string::npos) {
    other.path = model_path(o.compare);
  } else {
    other.instance.weights = weight_type(o.compare);
  }
  return other;
}

std::vector<Window> windows_of(const EvalOptions& o, int64_t tokens, int64_t context) {
  if (tokens < 2)
    fail(ExitCode::bad_data, "text_too_short", "{} holds {} tokens; at least 2 are needed, since the first is given",
         o.text, tokens);
  if (o.chunks && tokens < context)
    fail(ExitCode::bad_data, "text_too_short", "{} holds {} tokens, and a chunk takes {}: give a smaller -c", o.text,
         tokens, context);
  auto list =
      o.chunks ? chunk_windows(tokens, context) : sliding_windows(tokens, context, o.stride ? o.stride : context / 2);
  if (o.limit >= 0 && static_cast<int64_t>(list.size()) > o.limit) list.resize(static_cast<size_t>(o.limit));
  return list;
}

// Counts up on one line of a terminal.
std::function<void(int64_t)> progress(size_t all, std::string_view what) {
  if (!is_terminal(stderr)) return {};
  return [all, what](int64_t done) {
    fmt::print(stderr, "\r\x1b[K{} of {} {}", done, all, what);
    if (static_cast<size_t>(done) == all) fmt::print(stderr, "\r\x1b[K");
  };
}

void print_json(const nlohmann::ordered_json& j) {
  fmt::print("{}\n", j.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void evaluate_text(const EvalOptions& o, int64_t context) {
  std::string text = read_text_file(o.text);
  auto model = Instance::open(o.model.path, o.model.instance);
  if (!o.quiet) print_opened(*model);
  std::vector<int32_t> tokens = text_tokens(model->tokenizer(), text);
  auto windows = windows_of(o, static_cast<int64_t>(tokens.size()), context);
  std::unique_ptr<Instance> reference;
  if (!o.compare.empty()) {
    ModelOptions other = reference_of(o);
    reference = Instance::open(other.path, other.instance);
    if (!o.quiet) print_opened(*reference);
  }
  auto on_window = progress(windows.size(), "windows");
  TextEvaluation result{model->name(), o.text, static_cast<int64_t>(tokens.size()), context, o.stride, o.chunks};
  if (!o.stride) result.stride = context / 2;
  if (reference) {
    result.reference_name = o.compare;
    std::tie(result.report, result.agreement.emplace()) =
        compare_on_text(*model, *reference, tokens, windows, on_window);
  } else {
    result.report = score_text(*model, tokens, windows, on_window);
  }
  if (!o.json) {
    if (o.all) fmt::print("{}\n", token_losses_text(result, model->tokenizer()));
    return fmt::print("{}", evaluation_text(result));
  }
  auto j = evaluation_json(result);
  if (o.all) j["tokens"] = token_losses_json(result, model->tokenizer());
  print_json(j);
}

void evaluate_choices(const EvalOptions& o) {
  auto questions = read_questions(read_text_file(o.questions, limits::question_file_bytes), o.questions, o.limit);
  auto model = Instance::open(o.model.path, o.model.instance);
  if (!o.quiet) print_opened(*model);
  ChoiceReport report;
  try {
    report = score_choices(*model, questions, progress(questions.size(), "questions"));
  } catch (const Error& e) { throw e.in(o.questions); }
  if (o.json) return print_json(choices_json(report, model->name(), o.questions, o.all));
  fmt::print("{}", choices_text(report, model->name(), o.questions, o.all));
}

void run(EvalOptions o) {
  if (o.text.empty() == o.questions.empty())
    fail(ExitCode::usage, "nothing_to_do", "give a text with --file, or questions with --choices");
  o.model.path = model_path(o.model.path);
  o.model.instance.needs_text = true;
  if (!o.questions.empty()) return evaluate_choices(o);
  int64_t& context = o.model.instance.context;
  if (!context) context = std::min(usual_context, context_of(named_model(o.model.path).config));
  if (context < (o.chunks ? 4 : 2))
    fail(ExitCode::usage, "context_too_small", "-c {} is too small: a window needs {} tokens", context,
         o.chunks ? 4 : 2);
  if (o.stride > context)
    fail(ExitCode::usage, "bad_stride",
         "--stride {} is more than the {} tokens of a window: some would never be scored", o.stride, context);
  evaluate_text(o, context);
}

}  // namespace

void add_eval(CLI::App& app) {
  auto* c = app.add_subcommand("eval", "Measure a model: perplexity, multiple choice, agreement with another");
  auto o = std::make_shared<EvalOptions>();
  add_model_options(*c, o->model);
  c->get_option("--ctx-size")
      ->description("Tokens of a window [512], or that a question may take [4096]")
      ->option_text("N");
  auto* text = c->add_option("-f,--file", o->text, "A text: its perplexity")->option_text("FILE")->group("What");
  c->add_option("--choices", o->questions, "Multiple-choice questions, JSONL: how many are answered right")
      ->option_text("FILE")
      ->group("What")
      ->excludes(text);
  auto* stride = c->add_option("--stride", o->stride, "Windows begin every N tokens, and score their last N")
                     ->option_text("N [half a window]")
                     ->group("What")
                     ->check(CLI::Range(int64_t{1}, limits::context))
                     ->needs(text);
  c->add_flag("--chunks", o->chunks, "Windows side by side, the second half of each scored, as llama.cpp's tool does")
      ->group("What")
      ->needs(text)
      ->excludes(stride);
  c->add_option("--compare", o->compare,
                "Beside a reference, token by token: another model file, fp32, or a type as for --type")
      ->option_text("OTHER")
      ->group("What")
      ->needs(text);
  c->add_option("--limit", o->limit, "Windows, or questions, at most")
      ->option_text("N")
      ->group("What")
      ->check(CLI::Range(int64_t{1}, limits::context));
  c->add_flag("--all", o->all, "Also list every scored token, or every question")->group("Output");
  c->add_flag("--json", o->json, "The same as JSON")->group("Output");
  c->add_flag("-q,--quiet", o->quiet, "Print the result only")->group("Output");
  c->footer(
      "Examples:\n"
      "  ridgeline eval model.gguf -f text.txt                      perplexity, windows of 512, stride 256\n"
      "  ridgeline eval model.gguf -f text.txt -c 2048 --stride 512\n"
      "  ridgeline eval model.gguf -f text.txt --chunks             the tokens that llama-perplexity scores\n"
      "  ridgeline eval model.gguf -f text.txt --compare fp32       what int8 activations and bf16 KV cost\n"
      "  ridgeline eval q4.gguf -f text.txt --compare q8.gguf       two files with one vocabulary\n"
      "  ridgeline eval model.gguf --choices questions.jsonl        accuracy\n"
      "\n"
      "Perplexity is e to the mean of -ln p of the scored tokens; ± is one standard error. A window is read from\n"
      "position 0. Where the tokenizer begins texts with bos, bos takes the place of each window's first token.\n"
      "--chunks scores what every other window of the usual stride scores: about half of the text's tokens.\n"
      "\n"
      "A line of --choices is an object such as\n"
      "  {\"question\": \"The sky is\", \"choices\": [\"blue\", \"green\"], \"answer\": 0}\n"
      "with \"question\", \"query\" or \"context\", and \"answer\" or \"gold\", an index from 0. As in "
      "lm-evaluation-harness\n"
      "the text is question, space, choice; acc takes the choice of the greatest likelihood, acc_norm per byte.");
  c->callback([o] { run(*o); });
}

}  // namespace ridgeline
