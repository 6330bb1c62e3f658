#include "eval/logit_reader.h"

#include <algorithm>

#include "base/error.h"

namespace ridgeline {
namespace {

constexpr int64_t most_tokens = 512;              // of a step
constexpr int64_t most_logit_bytes = 64ll << 20;  // of a step, all models: 340 rows of 49,152 logits, 64 of 262,144

}  // namespace

LogitReader::LogitReader(std::vector<Instance*> models) : models_(std::move(models)) {
  require(!models_.empty(), "nobody reads");
  int64_t row_bytes = 0;
  for (Instance* m : models_) {
    tables_.emplace_back(m->blocks());
    row_bytes += vocabulary_of(m->config()) * static_cast<int64_t>(sizeof(float));
    cached_ = cached_ && m->program().is_cached();
  }
  most_rows_ = std::clamp<int64_t>(most_logit_bytes / row_bytes, 16, most_tokens);
}

void LogitReader::cut(int64_t tokens) {
  held_.resize(static_cast<size_t>(tokens));
  for (auto& t : tables_) t.shrink(tokens);
}

void LogitReader::read(std::span<const int32_t> tokens, int64_t first, const Take& take) {
  auto all = static_cast<int64_t>(tokens.size());
  require(first >= 0 && first < all, "row {} of {} tokens", first, all);
  for (Instance* m : models_)
    if (all > m->context())
      fail(ExitCode::unavailable, "context_full", "{} tokens do not fit the context of {}: give -c {} or more", all,
           m->context(), all);
  auto same = std::mismatch(held_.begin(), held_.end(), tokens.begin(), tokens.end()).first - held_.begin();
  int64_t at = cached_ ? std::min<int64_t>(same, first) : 0;  // row `first` itself is computed again
  cut(at);
  for (size_t i = 0; i < models_.size(); ++i)
    for (int32_t block : tables_[i].grow(all))
      if (auto* kv = models_[i]->kv()) kv->clear(block);
  while (at < all) {
    int64_t end = at < first ? std::min(first, at + most_tokens) : std::min(all, at + most_rows_);
    if (!cached_) end = all;  // a program without a cache reads a sequence whole
    StepSequence step{tokens.subspan(static_cast<size_t>(at), static_cast<size_t>(end - at)),
                      at,
                      {},
                      end - std::max(at, std::min(first, end))};
    logits_.clear();
    for (size_t i = 0; i < models_.size(); ++i) {
      step.blocks = tables_[i].blocks();
      logits_.push_back(models_[i]->executor().step({&step, 1}));
    }
    computed_ += end - at;
    if (step.logit_rows) take(end - step.logit_rows, logits_);
    at = end;
  }
  held_.assign(tokens.begin(), tokens.end());
}

}  // namespace ridgeline
