// What measurements of an open model run it on, and hold it against.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/large_memory.h"
#include "instance/instance.h"

namespace ridgeline {

// Token ids of the model's vocabulary, always the same.
std::vector<int32_t> random_tokens(const Instance&, int64_t n);

// Of one burst of a limit: some time slices of the system.
inline constexpr double read_burst_seconds = 0.04, compute_burst_seconds = 0.03;

// Memory to read for the read limit: the weights themselves. What of them stays in a cache between two reads, stays there
// between two steps as well. A very small model has memory of its own, which no private cache holds.
class ReadMemory {
 public:
  explicit ReadMemory(const Instance&);
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  LargeMemory own_;
  std::span<const std::byte> bytes_;
};

}  // namespace ridgeline
