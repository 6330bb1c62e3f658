// A model per family, small enough to read its whole program and to run it on the reference evaluation.
#pragma once
#include "models/catalogue.h"

namespace ridgeline::test {

inline LlamaConfig tiny_llama() {
  return {.layers = 2, .dim = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .vocab = 50, .context = 128};
}
inline Gpt2Config tiny_gpt2() { return {.layers = 2, .dim = 64, .heads = 4, .vocab = 50, .context = 128, .ffn = 96}; }
inline std::vector<ModelConfig> tiny_models() {
  LlamaConfig windowed = tiny_llama(), tied = tiny_llama();
  windowed.window = 5;
  tied.tied = true, tied.kv_heads = 1;
  tied.rope_factors = llama3_rope_factors(tied.head_dim, tied.rope_base, 8, 1, 4, 32);
  return {tiny_llama(), windowed, tied, tiny_gpt2()};
}

}  // namespace ridgeline::test
