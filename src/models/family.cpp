#include "models/family.h"

namespace ridgeline {

const Family& ModelConfig::family() const {
  require(family_ != nullptr, "a model without a config");
  return *family_;
}

}  // namespace ridgeline
