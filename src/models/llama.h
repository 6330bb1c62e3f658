#pragma once
#include "models/family.h"
#include "ops/rope.h"

namespace ridgeline {

// Llama 1 to 3, and what has its shape: TinyLlama, SmolLM2, Mistral.
struct LlamaConfig {
  int layers, dim, heads = 1, kv_heads, ffn;
  int64_t vocab, context;
  int head_dim = dim / heads;
  float rope_base = 10000;
  std::vector<float> rope_factors =
      {};  // head_dim / 2 divisors of the rotary frequencies, where the context is stretched
  float eps = 1e-5f;
  int window = 0;     // keys a query sees, itself included; 0: all
  bool tied = false;  // the head is the embedding
  static const Family& family();
};

}  // namespace ridgeline
