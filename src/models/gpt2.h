#pragma once
#include "models/binding.h"

namespace ridgeline {

struct Gpt2Config {
  int layers, dim, heads;
  int64_t vocab, context;
  int ffn = 4 * dim;
  float eps = 1e-5f;
  bool tied = true;  // the head is the embedding
};

Program gpt2(std::string name, DType matrices, const Gpt2Config&);
const std::vector<TensorBinding>& gpt2_gguf();  // arch "gpt2"

}  // namespace ridgeline
