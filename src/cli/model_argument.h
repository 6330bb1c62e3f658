// What MODEL means on the command line.
#pragma once
#include <memory>
#include <string>

#include "formats/checkpoint.h"
#include "models/catalogue.h"
#include "passes/passes.h"

namespace ridgeline {

// Where a model lies: a path as it is; USER/REPO[:QUANT] and the names that `pull` knows, in the hub's cache. No network is
// asked. Throws Error (cannot_open, "not_in_cache") with the command that fetches it. What is none of these is a path.
std::string model_path(const std::string& model);

// A model that is looked at and not run.
struct NamedModel {
  std::string name;
  ModelConfig config;
  Retype retype = {};                            // of files: their types; the catalogue: nothing
  std::shared_ptr<const Checkpoint> files = {};  // what retype reads
};
// A name of the catalogue, whose matrices are bf16, or what model_path() takes; the weights of a directory may be missing.
// Throws what reading the files throws; Error (usage) for an unknown name, with the nearest ones.
NamedModel named_model(const std::string& model);

}  // namespace ridgeline
