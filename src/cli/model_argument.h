// What MODEL means on the command line where a model is looked at and not run.
#pragma once
#include <string>

#include "models/catalogue.h"

namespace ridgeline {

struct NamedModel {
  std::string name;
  ModelConfig config;
  DType weights = DType::bf16;  // the type its matrices have
};
// A name of the catalogue. Throws Error (usage) naming the nearest ones.
NamedModel named_model(const std::string& model);

}  // namespace ridgeline
