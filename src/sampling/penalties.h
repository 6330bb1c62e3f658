// What is done to logits before any sampler looks at them.
#pragma once
#include <span>
#include <vector>

#include "sampling/sampler.h"

namespace ridgeline {

struct AdjustedLogit {
  float logit = 0;
  int32_t token = 0;
};

// The logits that biases and penalties are about, as they make them, lowest id first; empty where the options ask for neither.
// In fp32 and in this order, as llama.cpp computes them: the biases are added; then, for a token that is `count` times among the
// last repeat_last_n of `before`, the logit is divided by repeat_penalty where it is above 0, else multiplied by it, and
// count * frequency_penalty + presence_penalty is taken from it. Ids beyond the logits are passed over.
// Time: n log n in the tokens looked at and in the biases, whatever the vocabulary.
std::vector<AdjustedLogit> adjusted_logits(std::span<const float> logits, const SamplerOptions& options,
                                           std::span<const int32_t> before);

}  // namespace ridgeline
