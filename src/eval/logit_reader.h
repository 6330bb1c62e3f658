// One sequence after another, each token's logits looked at: by one model, or by several that read the same tokens in step.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "instance/instance.h"

namespace ridgeline {

class LogitReader {
 public:
  // Models with one vocabulary; they must outlive the reader, and nothing else may use their caches meanwhile.
  explicit LogitReader(std::vector<Instance*> models);

  // Reads `tokens` from position 0 and calls take for the rows of logits from `first` on, a few at a time so that memory stays
  // bounded: take(r, logits) gets, per model, rows r, r + 1, ...; row r tells of token r + 1. What the caches hold from the
  // sequence before is kept where it is the same. Needs 0 <= first < tokens.size(). Throws what Executor::step throws;
  // (unavailable, "context_full") where a model's cache is too small.
  using Take = std::function<void(int64_t row, std::span<const Logits> logits)>;
  void read(std::span<const int32_t> tokens, int64_t first, const Take& take);

  int64_t computed() const { return computed_; }  // tokens so far, of each model

 private:
  void cut(int64_t tokens);
  std::vector<Instance*> models_;
  std::vector<BlockTable> tables_;
  std::vector<int32_t> held_;  // whose keys and values the caches hold
  std::vector<Logits> logits_;
  bool cached_ = true;  // every model has a cache
  int64_t most_rows_ = 0, computed_ = 0;
};

}  // namespace ridgeline
