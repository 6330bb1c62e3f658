#pragma once
#include "models/family.h"

namespace ridgeline {

struct Gpt2Config {
  int layers, dim, heads = 1;
  int64_t vocab, context;
  int ffn = 4 * dim;
  float eps = 1e-5f;
  bool tied = true;  // the head is the embedding
  static const Family& family();
};

}  // namespace ridgeline
