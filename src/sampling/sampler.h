// Logits to the next token.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sampling/logit_bias.h"

namespace ridgeline {

// In the order in which they apply, which is llama.cpp's. Values that leave everything as it is: no bias, repeat_penalty 1,
// frequency_penalty and presence_penalty 0, top_k 0, top_p 1, min_p 0. Biases and penalties do so by default, and cost nothing.
struct SamplerOptions {
  std::vector<LogitBias> logit_bias;  // several of one token add up
  // The penalties look at the last tokens of the sequence, those of the prompt too.
  int repeat_last_n = 64;  // how many; -1: all of them; 0: no penalties
  float repeat_penalty =
      1;  // logits of these tokens: divided by it where above 0, else multiplied  (Keskar et al. 2019)
  float frequency_penalty = 0;  // taken from a token's logit for each time it is there                  (OpenAI's API)
  float presence_penalty = 0;   // taken from it once if it is there                                     (OpenAI's API)
  int top_k = 40;               // keep the k most probable
  float top_p = 0.95f;          // keep the fewest whose probabilities reach p     (Holtzman et al. 2019)
  float min_p = 0.05f;          // drop those below p times the greatest           (Nguyen et al. 2024)
  float temperature = 0.8f;     // divides the logits that are left; 0: greedy
  uint64_t seed = 0;
  // Throws Error (usage) naming the value that is out of range.
  void check() const;
  // Throws Error (usage) for a bias on an id that is none of `vocabulary` tokens.
  void check_tokens(int64_t vocabulary) const;
};

// The token for one row of logits. The choice depends on the logits, the options, `position` (of the token to be, in its
// sequence) and the tokens `before` it, which only penalties look at: not on the batch. Equal logits: the lowest id first. Time:
// the row is read, never copied; penalties touch the tokens that were seen.
// Throws Error (internal, "numeric_error") where a logit is NaN, (usage, "no_token_left") where biases leave none.
int32_t sample(std::span<const float> logits, const SamplerOptions& options, int64_t position,
               std::span<const int32_t> before = {});

// The greatest logit; NaN as above.
int32_t greatest(std::span<const float> logits);

struct TokenProbability {
  int32_t token = 0;
  double log_probability = 0;  // ln p, at most 0
};
// How probable a token was, and which were the most probable.
struct ChosenToken {
  TokenProbability chosen;
  std::vector<TokenProbability> top;  // most probable first, without those of probability 0
};
// By the model's own distribution: the softmax of the logits as they are, before biases, penalties and temperature, in double.
// top: how many of the most probable, at least 0.
ChosenToken probabilities(std::span<const float> logits, int32_t chosen, int top);

}  // namespace ridgeline
