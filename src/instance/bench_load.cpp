#include "instance/bench_load.h"

#include <cstring>

#include "base/philox.h"

namespace ridgeline {

std::vector<int32_t> random_tokens(const Instance& m, int64_t n) {
  std::vector<int32_t> ids;
  auto vocabulary = static_cast<double>(vocabulary_of(m.config()));
  for (int64_t i = 0; i < n; ++i)
    ids.push_back(static_cast<int32_t>(philox_uniform(1, static_cast<uint64_t>(i)) * vocabulary));
  return ids;
}

ReadMemory::ReadMemory(const Instance& m) : bytes_(m.weights().memory()) {
  constexpr size_t least = 32u << 20;
  if (bytes_.size() >= least) return;
  own_ = LargeMemory(least);
  std::memset(own_.data(), 1, least);  // untouched pages would all be one
  bytes_ = {own_.data(), least};
}

}  // namespace ridgeline
