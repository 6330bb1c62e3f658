#include <unistd.h>

#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "cli/answer_options.h"
#include "cli/answer_text.h"
#include "cli/chat.h"
#include "cli/commands.h"
#include "cli/model_argument.h"
#include "cli/model_options.h"
#include "cli/phase_report.h"
#include "cli/prompt.h"
#include "cli/terminal.h"
#include "cli/text_input.h"
#include "instance/generate.h"

namespace ridgeline {
namespace {

struct RunOptions {
  ModelOptions model;
  AnswerOptions answer;
  std::string prompt, prompt_file, system, system_file;
  std::set<std::string> given;  // options of sampling
  bool raw = false, quiet = false, json = false, explain = false;
};

// The prompt: as an argument, from a file, or from a pipe. None: chat.
std::optional<std::string> prompt_of(const RunOptions& o) {
  if (!o.prompt.empty()) return o.prompt;
  if (!o.prompt_file.empty()) return read_text_file(o.prompt_file);
  if (is_terminal(stdin)) {
    if (o.explain)
      fail(ExitCode::usage, "no_prompt", "--explain needs a prompt: as an argument, with -f, or through a pipe");
    if (o.json) fail(ExitCode::usage, "no_prompt", "--json needs a prompt: as an argument, with -f, or through a pipe");
    return {};
  }
  std::string text = read_text(std::cin, "standard input");
  if (std::ferror(stdin)) fail(ExitCode::io, "input_failed", "standard input cannot be read");
  while (text.ends_with('\n')) text.pop_back();
  if (text.empty())
    fail(ExitCode::usage, "no_prompt", "no prompt: give one as an argument, with -f, or through a pipe");
  return text;
}

void run_once(Instance& model, const RunOptions& o, const std::string& prompt) {
  InterruptScope scope;
  Conversation conversation(model);
  bool raw = o.raw || !model.chat_template();
  std::vector<Message> turns;
  if (!o.system.empty()) turns.push_back({"system", o.system});
  turns.push_back({"user", prompt});
  std::vector<int32_t> ids = raw ? encode_raw(model, prompt) : encode_turns(model, turns, true);
  if (ids.empty()) fail(ExitCode::usage, "no_prompt", "the prompt holds no tokens");
  GenerateOptions options = o.answer.generate;
  std::optional<PhaseReport> phases;
  if (o.explain) {
    phases.emplace(model);
    options.on_step = [&](const StepDone& step) { phases->add(step); };
  }
  auto show = [&](std::string_view text) {
    if (!o.json) write_out(text);
  };
  Generated g = generate(model, conversation, ids, options, show, InterruptScope::interrupted);
  if (o.json)
    write_out(
        answer_json(model, ids, g, options).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
        "\n");
  else
    write_out("\n" + probabilities_text(g, model.tokenizer()));
  if (phases) phases->finish();
  if (!o.quiet) print_summary(model, g, static_cast<int64_t>(conversation.tokens().size()));
  if (InterruptScope::interrupted())
    fail(InterruptScope::signal_number() == SIGTERM ? ExitCode::terminated : ExitCode::interrupted, "interrupted",
         "interrupted");
}

// What the model's files propose, where the command line says nothing.
void take_defaults(const GenerationDefaults& d, const std::set<std::string>& given, SamplerOptions& s) {
  auto take = [&](const char* option, auto& value, const auto& proposed) {
    if (proposed && !given.contains(option)) value = *proposed;
  };
  take("--temp", s.temperature, d.temperature);
  take("--top-k", s.top_k, d.top_k);
  take("--top-p", s.top_p, d.top_p);
  take("--min-p", s.min_p, d.min_p);
  take("--repeat-penalty", s.repeat_penalty, d.repetition_penalty);
  // Files mean all tokens that are there, as transformers does.
  if (d.repetition_penalty.value_or(1) != 1 && !given.contains("--repeat-penalty"))
    take("--repeat-last-n", s.repeat_last_n, std::optional(-1));
}

std::string system_of(const RunOptions& o) {
  if (o.system_file.empty()) return o.system;
  std::string text = read_text_file(o.system_file);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

void run(RunOptions o) {
  SamplerOptions& sampler = o.answer.generate.sampler;
  o.answer.choose_seed();
  sampler.check();
  o.system = system_of(o);
  auto prompt = prompt_of(o);
  o.model.instance.needs_text = true;
  auto model = Instance::open(model_path(o.model.path), o.model.instance);
  take_defaults(model->generation_defaults(), o.given, sampler);
  sampler.check();
  sampler.check_tokens(model->tokenizer().size());
  require_place_for_system(*model, o.system);
  if (!o.quiet) print_opened(*model);
  if (prompt) return run_once(*model, o, *prompt);
  chat(*model, o.answer, o.system, o.quiet);
}

}  // namespace

void add_run(CLI::App& app) {
  auto* c = app.add_subcommand("run", "Complete a prompt, or chat with a model");
  auto o = std::make_shared<RunOptions>();
  add_model_options(*c, o->model);
  c->add_option("prompt", o->prompt, "The prompt; without one, and at a terminal: chat")->group("Prompt");
  c->add_option("-f,--file", o->prompt_file, "Read the prompt from a file")->option_text("FILE")->group("Prompt");
  auto* system = c->add_option("--system", o->system, "System prompt")->option_text("TEXT")->group("Prompt");
  auto* system_file = c->add_option("--system-file", o->system_file, "Read the system prompt from a file")
                          ->option_text("FILE")
                          ->excludes(system)
                          ->group("Prompt");
  c->add_flag("--raw", o->raw, "Complete the text as it is, without the chat template")
      ->excludes(system)
      ->excludes(system_file)
      ->group("Prompt");
  add_answer_options(*c, o->answer);
  c->add_flag(
       "--explain", o->explain,
       "Show the two phases as they go: tok/s and the part of each roof, KV growth, and what the next step will take")
      ->group("Output");
  c->add_flag("-q,--quiet", o->quiet, "Print the answer only")->group("Output");
  c->add_flag("--json", o->json, "The answer as JSON, with its ids, its speed and the settings that were used")
      ->group("Output");
  c->footer(
      "Examples:\n"
      "  ridgeline run model.gguf \"Why is the sky blue?\" -n 200\n"
      "  ridgeline run model.gguf --temp 0 --raw \"Once upon a time\"\n"
      "  echo \"Name three rivers.\" | ridgeline run model.gguf -q\n"
      "  ridgeline run model.gguf --explain \"Name three rivers.\"   where the time goes, while it goes\n"
      "  ridgeline run model.gguf                      chat: /help lists what can be typed\n"
      "  ridgeline run model.gguf \"2 + 2 =\" --raw -n 1 --logprobs 5 --json\n"
      "\n"
      "A directory's generation_config.json says which tokens end a text, and proposes --temp, --top-k, --top-p, "
      "--min-p\n"
      "and --repeat-penalty (of all tokens) where they are not given here; do_sample: false proposes --temp 0.\n"
      "Samplers apply in llama.cpp's order: bias, penalties, top-k, top-p, min-p, temperature.");
  c->callback([o, c] {
    for (const char* option : {"--temp", "--top-k", "--top-p", "--min-p", "--repeat-penalty", "--repeat-last-n"})
      if (c->count(option)) o->given.insert(option);
    run(*o);
  });
}

}  // namespace ridgeline
