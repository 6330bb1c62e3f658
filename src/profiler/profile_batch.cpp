#include "profiler/profile_batch.h"

#include "base/error.h"
#include "instance/bench_load.h"
#include "profiler/profile.h"

namespace ridgeline {

int64_t cache_tokens(const BatchShape& batch) {
  int64_t blocks = 0;
  for (const auto& s : batch.sequences) blocks += (s.cached + s.fresh + block_tokens - 1) / block_tokens;
  return blocks * block_tokens;
}

ProfiledBatch::ProfiledBatch(Instance& m, const BatchShape& batch) : model_(m) {
  bool cached = m.program().is_cached();
  if (int64_t needed = cache_tokens(batch); cached && needed > m.blocks().size() * block_tokens)
    fail(ExitCode::unavailable, "context_full",
         "the batch {} needs {} tokens of KV cache, in blocks of {}; there are {}: give -c {} or more", batch.text(),
         needed, block_tokens, m.blocks().size() * block_tokens, needed);
  int64_t all = 0;
  for (const auto& s : batch.sequences) all += s.cached + s.fresh;
  tokens_ = random_tokens(m, all);
  tables_.reserve(batch.sequences.size());
  std::span<const int32_t> rest = tokens_;
  for (const auto& s : batch.sequences) {
    auto whole = rest.first(static_cast<size_t>(s.cached + s.fresh));
    rest = rest.subspan(whole.size());
    if (!cached) {
      sequences_.push_back({whole, 0, {}, s.logit_rows});
      continue;
    }
    BlockTable& table = tables_.emplace_back(m.blocks());
    for (int32_t block : table.grow(s.cached + s.fresh)) m.kv()->clear(block);
    sequences_.push_back({whole.subspan(static_cast<size_t>(s.cached)), s.cached, table.blocks(), s.logit_rows});
    fill_cache({whole.first(static_cast<size_t>(s.cached)), 0, table.blocks(), 0});
  }
}

void ProfiledBatch::fill_cache(const StepSequence& s) {
  for (size_t at = 0; at < s.tokens.size(); at += prompt_step_tokens) {
    auto part = s.tokens.subspan(at, std::min<size_t>(prompt_step_tokens, s.tokens.size() - at));
    StepSequence step{part, static_cast<int64_t>(at), s.blocks, 0};
    model_.executor().step({&step, 1});
  }
}

}  // namespace ridgeline
