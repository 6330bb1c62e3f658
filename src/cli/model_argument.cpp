#include "cli/model_argument.h"

namespace ridgeline {

NamedModel named_model(const std::string& model) {
  const CatalogueEntry& entry = from_catalogue(model);
  return {std::string(entry.name), entry.config};
}

}  // namespace ridgeline
