// What one step computes: how many tokens are new in each sequence, how many are already cached, which logits are wanted.
// There is no prefill and no decode here, only tokens still to compute.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline {

struct BatchShape {
  struct Sequence {
    int64_t fresh;           // new tokens, at positions cached .. cached + fresh - 1
    int64_t cached = 0;      // tokens whose keys and values are already in the KV cache
    int64_t logit_rows = 1;  // rows of logits wanted, of the last tokens
  };
  std::vector<Sequence> sequences;

  // "64x1@1000,512@512": 64 sequences with 1 new token on 1,000 cached, and one with 512 on 512. "@0" may be left out.
  // Throws Error (usage) naming the part that is wrong.
  static BatchShape parse(std::string_view text);
  std::string text() const;  // the shortest spelling that parses to this
  // The same step for a program without a KV cache: every token of every sequence is computed again.
  BatchShape uncached() const;
};

}  // namespace ridgeline
