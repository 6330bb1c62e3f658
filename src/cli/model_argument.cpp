#include "cli/model_argument.h"

#include <filesystem>

#include "formats/gguf_config.h"
#include "instance/instance.h"

namespace ridgeline {

NamedModel named_model(const std::string& model) {
  if (!find_in_catalogue(model) && (std::filesystem::exists(model) || model.ends_with(".gguf"))) {
    auto file = std::make_shared<const GgufFile>(GgufFile::open(model));
    GgufModel described = read_model_config(*file);
    Retype as_in_file = pipeline_options(*file, described.config, {}).retype;
    return {described.name, described.config, as_in_file, file};
  }
  const CatalogueEntry& entry = from_catalogue(model);
  return {std::string(entry.name), entry.config};
}

}  // namespace ridgeline
