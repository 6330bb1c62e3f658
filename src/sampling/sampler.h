// Logits to the next token.
#pragma once
#include <cstdint>
#include <span>

namespace ridgeline {

// In the order in which they apply, which is llama.cpp's. Values that leave everything as it is: top_k 0, top_p 1, min_p 0.
struct SamplerOptions {
  int top_k = 40;            // keep the k most probable
  float top_p = 0.95f;       // keep the fewest whose probabilities reach p          (Holtzman et al. 2019)
  float min_p = 0.05f;       // drop those below p times the greatest                (Nguyen et al. 2024)
  float temperature = 0.8f;  // divides the logits that are left; 0: greedy
  uint64_t seed = 0;
  // Throws Error (usage) naming the value that is out of range.
  void check() const;
};

// The token for one row of logits. The choice depends on the logits, the options and `position` (of the token to be, in its
// sequence) alone: not on the batch, nor on what was sampled before. Equal logits: the lowest id first.
// Throws Error (internal, "numeric_error") where a logit is NaN.
int32_t sample(std::span<const float> logits, const SamplerOptions& options, int64_t position);

// The greatest logit; NaN as above.
int32_t greatest(std::span<const float> logits);

}  // namespace ridgeline
