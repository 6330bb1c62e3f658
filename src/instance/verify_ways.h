// Which ways `verify` takes: few, yet such that any two factors meet in every combination.
#pragma once
#include "instance/verify.h"

namespace ridgeline {

struct Workload {
  int64_t prompt, generated;
  int64_t tokens() const { return prompt + generated; }
  // What fits a model's context.
  static Workload within(int64_t context);
};

// The ways of one kernel set: 16 with a cache, 4 without (quick: 4 and 1). The first is the plain one: everything at
// once, alone.
std::vector<Way> ways_of(const std::string& kernels, const VerifyOptions& options, const Workload& workload);
// Of the reference, which computes about `operations_per_token` operations for a token, one by one.
std::vector<Way> reference_ways(const VerifyOptions& options, const Workload& workload, int64_t operations_per_token);

}  // namespace ridgeline
