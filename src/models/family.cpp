#include "models/family.h"

namespace ridgeline {

const Family& ModelConfig::family() const {
  require(family_ != nullptr, "a model without a config");
  return *family_;
}

void require_divisible(int ranks, std::initializer_list<std::pair<std::string_view, int64_t>> sizes) {
  for (auto [what, size] : sizes)
    if (size % ranks)
      fail(ExitCode::usage, "impossible_split", "{} {} cannot be split among {} devices", size, what, ranks);
}

void refuse_split(std::string_view family) {
  fail(ExitCode::usage, "impossible_split", "models of the family {} cannot be split among devices by heads", family);
}

}  // namespace ridgeline
