// Whether a model fits in memory, asked before any of it is taken.
#pragma once
#include <cstdint>
#include <string>

namespace ridgeline {

struct MemoryNeed {
  int64_t weights = 0;  // bytes, packed
  int64_t scratch = 0;  // bytes of the values of a step
  int64_t block = 0;    // bytes of the KV cache for block_tokens tokens; 0: no cache
  int64_t context = 0;  // tokens the cache holds
  int64_t kv() const;
  int64_t total() const { return weights + scratch + kv(); }
};

struct MemoryLimit {
  int64_t bytes = INT64_MAX;  // that may still be taken
  std::string name;           // "MemAvailable of this machine", ...
};
// The least of what the machine has left (/proc/meminfo), what this process's control group may still take (cgroup v2 and v1),
// and its address space (RLIMIT_AS, with what it holds already). root: put before /proc and /sys.
MemoryLimit memory_limit(const std::string& root = "");

// Throws Error (unavailable, "does_not_fit") with a table of the need, the limit, and the context that would fit.
void require_fit(const std::string& model, const MemoryNeed& need, const MemoryLimit& limit);

}  // namespace ridgeline
