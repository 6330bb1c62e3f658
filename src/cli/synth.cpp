#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "base/text_table.h"
#include "cli/commands.h"
#include "cli/model_options.h"
#include "formats/synthetic.h"
#include "instance/instance.h"

namespace ridgeline {
namespace {

struct SynthOptions {
  std::string name, output, type = "q8_0";
  int64_t layers = 0, vocabulary = 0, threads = 0, seed = 0;
  bool json = false;
};

void synth_command(const SynthOptions& o) {
  const ModelConfig& published = from_catalogue(o.name).config;
  ModelConfig config = published.family().resized(published, static_cast<int>(o.layers), o.vocabulary);
  SyntheticModel model{o.name + " synthetic", config, weight_type(o.type), static_cast<uint64_t>(o.seed)};
  Team team(o.threads ? static_cast<int>(o.threads) : available_processors());
  auto start = std::chrono::steady_clock::now();
  write_synthetic(o.output, model, team);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  auto bytes = std::filesystem::file_size(o.output);
  if (o.json) {
    nlohmann::ordered_json j{{"file", o.output},
                             {"bytes", bytes},
                             {"model", o.name},
                             {"type", name_of(weight_type(o.type))},
                             {"layers", layers_of(config)},
                             {"vocabulary", vocabulary_of(config)},
                             {"seed", o.seed},
                             {"seconds", seconds}};
    return fmt::print("{}\n", j.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  }
  fmt::print("{}: {}B, {} with random weights in {}, {:.1f} s\n", o.output, quantity(static_cast<double>(bytes)),
             o.name, o.type, seconds);
}

}  // namespace

void add_synth(CLI::App& app) {
  auto* c = app.add_subcommand("synth", "Write a model file with random weights, of any shape of the catalogue");
  auto o = std::make_shared<SynthOptions>();
  c->add_option("name", o->name, "A name of the catalogue: llama-3.2-1b, gpt2, ...")
      ->required()
      ->option_text("NAME")
      ->group("Model");
  c->add_option("-o,--output", o->output, "The GGUF file to write")->required()->option_text("FILE")->group("Model");
  c->add_option("--type", o->type, "Type of weight matrices: " + weight_type_names())
      ->capture_default_str()
      ->group("Model");
  c->add_option("-s,--seed", o->seed, "Seed: the same one gives the same file")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->group("Model");
  c->add_option("--layers", o->layers, "Layers, in place of the catalogue's")
      ->check(CLI::Range(int64_t{1}, limits::layers))
      ->group("Shape");
  c->add_option("--vocab", o->vocabulary, "Tokens, in place of the catalogue's")
      ->check(CLI::Range(int64_t{1}, limits::vocabulary))
      ->group("Shape");
  c->add_option("-t,--threads", o->threads, "Threads; 0: one per processor")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{0}, limits::threads))
      ->group("Model");
  c->add_flag("--json", o->json, "What was written, as JSON")->group("Output");
  c->footer(
      "Examples:\n"
      "  ridgeline synth llama-3.2-1b --type q8_0 -o 1b.gguf\n"
      "  ridgeline synth llama-3-8b --type q4_0 --layers 2 -o two-layers.gguf\n"
      "\n"
      "The answers of such a model are noise; its speed and its memory are those of a real one.");
  c->callback([o] { synth_command(*o); });
}

}  // namespace ridgeline
