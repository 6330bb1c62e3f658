// What a model's files propose for generating text.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace ridgeline {

struct GenerationDefaults {
  std::vector<int32_t> eos;  // ids of the tokens that end a text, besides those of the tokenizer
  // Sampling; none: not said. A model that says do_sample: false proposes temperature 0.
  std::optional<float> temperature, top_p, min_p;
  std::optional<float> repetition_penalty;  // of all tokens before, the prompt's too        (Keskar et al. 2019)
  std::optional<int> top_k;
};

}  // namespace ridgeline
