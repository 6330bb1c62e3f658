#include <unistd.h>

#include <csignal>
#include <iostream>
#include <random>
#include <set>

#include "base/error.h"
#include "base/limits.h"
#include "cli/chat.h"
#include "cli/commands.h"
#include "cli/model_argument.h"
#include "cli/model_options.h"
#include "cli/terminal.h"
#include "cli/text_input.h"
#include "instance/generate.h"

namespace ridgeline {
namespace {

struct RunOptions {
  ModelOptions model;
  GenerateOptions generate;
  std::string prompt, prompt_file, system;
  int64_t seed = -1;
  std::set<std::string> given;  // options of sampling
  bool raw = false, quiet = false;
};

// The prompt: as an argument, from a file, or from a pipe. None: chat.
std::optional<std::string> prompt_of(const RunOptions& o) {
  if (!o.prompt.empty()) return o.prompt;
  if (!o.prompt_file.empty()) return read_text_file(o.prompt_file);
  if (is_terminal(stdin)) return {};
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
  std::vector<int32_t> ids = o.raw || !model.chat_template() ? encode_raw(model, prompt)
                                                             : encode_turns(model, turns_with(o.system, prompt), true);
  if (ids.empty()) fail(ExitCode::usage, "no_prompt", "the prompt holds no tokens");
  Generated g = generate(model, conversation, ids, o.generate, write_out, InterruptScope::interrupted);
  write_out("\n");
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
}

void run(RunOptions o) {
  o.generate.sampler.seed = o.seed >= 0 ? static_cast<uint64_t>(o.seed) : std::random_device{}();
  o.generate.sampler.check();
  auto prompt = prompt_of(o);
  o.model.instance.needs_text = true;
  auto model = Instance::open(model_path(o.model.path), o.model.instance);
  take_defaults(model->generation_defaults(), o.given, o.generate.sampler);
  o.generate.sampler.check();
  if (!o.quiet) print_opened(*model);
  if (prompt) return run_once(*model, o, *prompt);
  chat(*model, o.generate, o.system, o.quiet);
}

}  // namespace

void add_run(CLI::App& app) {
  auto* c = app.add_subcommand("run", "Complete a prompt, or chat with a model");
  auto o = std::make_shared<RunOptions>();
  add_model_options(*c, o->model);
  c->add_option("prompt", o->prompt, "The prompt; without one, and at a terminal: chat")->group("Prompt");
  c->add_option("-f,--file", o->prompt_file, "Read the prompt from a file")->option_text("FILE")->group("Prompt");
  c->add_option("--system", o->system, "System prompt")->group("Prompt");
  c->add_flag("--raw", o->raw, "Complete the text as it is, without the chat template")->group("Prompt");
  auto& s = o->generate.sampler;
  c->add_option("-n,--predict", o->generate.limit, "Tokens to generate at most; -1: no limit")
      ->option_text("N [-1]")
      ->group("Sampling")
      ->check(CLI::Range(int64_t{-1}, limits::context));
  c->add_option("--temp", s.temperature, "Temperature; 0: always the most probable token")
      ->option_text("X [0.8]")
      ->group("Sampling");
  c->add_option("--top-k", s.top_k, "Keep the k most probable tokens; 0: all")
      ->option_text("N [40]")
      ->group("Sampling");
  c->add_option("--top-p", s.top_p, "Keep the fewest tokens that reach this probability; 1: all")
      ->option_text("X [0.95]")
      ->group("Sampling");
  c->add_option("--min-p", s.min_p, "Drop tokens below this part of the greatest probability; 0: none")
      ->option_text("X [0.05]")
      ->group("Sampling");
  c->add_option("-s,--seed", o->seed, "Seed; -1: another each time")->option_text("N [-1]")->group("Sampling");
  c->add_option("--stop", o->generate.stops, "End where this text comes; may be given several times")
      ->group("Sampling");
  c->add_flag("--ignore-eos", o->generate.ignore_eos, "Go on past the end-of-text token")->group("Sampling");
  c->add_flag("-q,--quiet", o->quiet, "Print the answer only")->group("Output");
  c->footer(
      "Examples:\n"
      "  ridgeline run model.gguf \"Why is the sky blue?\" -n 200\n"
      "  ridgeline run model.gguf --temp 0 --raw \"Once upon a time\"\n"
      "  echo \"Name three rivers.\" | ridgeline run model.gguf -q\n"
      "  ridgeline run model.gguf                      chat: /help lists what can be typed\n"
      "\n"
      "A directory's generation_config.json says which tokens end a text, and proposes --temp, --top-k, --top-p and "
      "--min-p\n"
      "where they are not given here; do_sample: false proposes --temp 0.");
  c->callback([o, c] {
    for (const char* option : {"--temp", "--top-k", "--top-p", "--min-p"})
      if (c->count(option)) o->given.insert(option);
    run(*o);
  });
}

}  // namespace ridgeline
