#include "kv/block_pool.h"

#include <utility>

#include "base/error.h"

namespace ridgeline {

BlockPool::BlockPool(int64_t blocks) : taken_(static_cast<size_t>(blocks)) {
  for (int64_t b = blocks; b-- > 0;) free_.push_back(static_cast<int32_t>(b));
}

int32_t BlockPool::take() {
  if (free_.empty())
    fail(ExitCode::unavailable, "kv_full", "the KV cache is full: all {} blocks of {} tokens are in use; raise -c",
         size(), block_tokens);
  int32_t block = free_.back();
  free_.pop_back();
  taken_[static_cast<size_t>(block)] = true;
  return block;
}

void BlockPool::give_back(int32_t block) {
  require(block >= 0 && block < size() && taken_[static_cast<size_t>(block)],
          "block {} is given back but was not taken", block);
  taken_[static_cast<size_t>(block)] = false;
  free_.push_back(block);
}

BlockTable::BlockTable(BlockTable&& o) noexcept : pool_(o.pool_), blocks_(std::exchange(o.blocks_, {})) {}

BlockTable& BlockTable::operator=(BlockTable&& o) noexcept {
  shrink(0);
  pool_ = o.pool_;
  blocks_ = std::exchange(o.blocks_, {});
  return *this;
}

std::vector<int32_t> BlockTable::grow(int64_t tokens) {
  size_t had = blocks_.size();
  try {
    while (static_cast<int64_t>(blocks_.size()) * block_tokens < tokens) blocks_.push_back(pool_->take());
  } catch (...) {
    shrink(static_cast<int64_t>(had) * block_tokens);
    throw;
  }
  return {blocks_.begin() + static_cast<ptrdiff_t>(had), blocks_.end()};
}

void BlockTable::shrink(int64_t tokens) {
  while ((static_cast<int64_t>(blocks_.size()) - 1) * block_tokens >= tokens) {
    pool_->give_back(blocks_.back());
    blocks_.pop_back();
  }
}

}  // namespace ridgeline
