// What MODEL means on the command line where a model is looked at and not run.
#pragma once
#include <memory>
#include <string>

#include "formats/gguf.h"
#include "models/catalogue.h"
#include "passes/passes.h"

namespace ridgeline {

struct NamedModel {
  std::string name;
  ModelConfig config;
  Retype retype = {};                         // a file: its types; the catalogue: nothing
  std::shared_ptr<const GgufFile> file = {};  // what retype reads
};
// A GGUF file, or a name of the catalogue, whose matrices are bf16. Throws what reading the file throws; Error (usage) for an
// unknown name, with the nearest ones.
NamedModel named_model(const std::string& model);

}  // namespace ridgeline
