#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/inspection_text.h"
#include "cli/model_argument.h"
#include "formats/open.h"

namespace ridgeline {
namespace {

struct InspectOptions {
  std::string path;
  bool tensors = false, metadata = false, json = false;
};

void inspect_command(const InspectOptions& o) {
  auto model = open_checkpoint(model_path(o.path));
  Inspection it = inspect(*model);
  if (o.json) {
    auto j = inspection_json(*model, it);
    if (o.tensors) j["tensors"] = tensors_json(*model, it);
    if (o.metadata) j["metadata"] = metadata_json(*model);
    fmt::print("{}\n", j.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else {
    fmt::print("{}", inspection_text(*model, it));
    if (o.tensors) fmt::print("\n{}", tensors_text(*model, it));
    if (o.metadata) fmt::print("\n{}", metadata_text(*model));
  }
  if (it.refused) throw *it.refused;
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto* c = app.add_subcommand("inspect", "Show what a model file holds, and the memory it needs");
  auto o = std::make_shared<InspectOptions>();
  c->add_option("file", o->path, "A GGUF file, a Hugging Face directory, or USER/REPO[:QUANT] of the hub, once pulled")
      ->required()
      ->option_text("MODEL");
  c->add_flag("--tensors", o->tensors, "List every tensor")->group("Output");
  c->add_flag("--metadata", o->metadata, "List every metadata key, long values shortened")->group("Output");
  c->add_flag("--json", o->json, "The same as JSON")->group("Output");
  c->footer(
      "Examples:\n"
      "  ridgeline inspect model.gguf\n"
      "  ridgeline inspect model.gguf --tensors --metadata\n"
      "  ridgeline inspect SmolLM2-135M-Instruct --json     a directory with config.json and model.safetensors\n"
      "\n"
      "Only headers are read. A file whose weights have a type that does not compute here is described all the same; "
      "one\n"
      "that describes no model that could run is shown as far as it goes, with exit status 65.");
  c->callback([o] { inspect_command(*o); });
}

}  // namespace ridgeline
