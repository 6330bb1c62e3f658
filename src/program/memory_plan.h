// A reader: where each computed value of a program lies, for one batch. Liveness, then the lowest gap that is free.
#pragma once
#include "program/program.h"

namespace ridgeline {

struct MemoryPlan {
  std::vector<int64_t> offset;  // bytes, by value id, 64-byte aligned; -1: not placed (weights, inputs, state)
  int64_t peak = 0;             // bytes the arena takes
  int64_t total = 0;            // what it would take if nothing shared memory
};

MemoryPlan plan_memory(const Program&, const BatchShape&);

}  // namespace ridgeline
