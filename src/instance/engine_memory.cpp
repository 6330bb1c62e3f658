#include "instance/engine_memory.h"

#include <algorithm>

#include "instance/instance.h"
#include "program/memory_plan.h"

namespace ridgeline {
namespace {

// Measured: what a tokenizer holds for a token of its vocabulary, its merges included. SmolLM2's 49,152 take 250, Gemma's 262,144
// take 264.
constexpr int64_t vocabulary_entry = 260;

}  // namespace

EngineMemory::EngineMemory(const Program& program, const ModelConfig& config, bool has_vocabulary, int64_t context)
    : program_(&program),
      weights_(Weights::bytes_needed(program)),
      blocks_((context + block_tokens - 1) / block_tokens) {
  if (has_vocabulary) vocabulary_ = vocabulary_entry * vocabulary_of(config);
  if (program.is_cached()) layer_blocks_ = KvMemory::layer_block_bytes(program, head_dim_of(config));
}

int64_t EngineMemory::kv(int64_t tokens, int64_t page) const {
  int64_t used = std::min(blocks_, (tokens + block_tokens - 1) / block_tokens), sum = 0, at = 0, taken = 0;
  // Each pair's blocks lie one after the other; of each the first `used` are touched, in whole pages.
  for (int64_t block : layer_blocks_) {
    int64_t first = at / page * page, end = (at + used * block + page - 1) / page * page;
    first = std::max(first, taken);
    if (used && end > first) sum += end - first, taken = end;
    at += blocks_ * block;
  }
  return std::min(sum, at + page);
}

int64_t EngineMemory::scratch(int64_t tokens, int64_t cached) const {
  int64_t step = std::min(prompt_step_tokens, std::max<int64_t>(tokens, 1));
  BatchShape batch{{{step, std::max<int64_t>(cached, tokens - step), 1}}};
  return plan_memory(*program_, program_->is_cached() ? batch : batch.uncached()).peak;
}

}  // namespace ridgeline
