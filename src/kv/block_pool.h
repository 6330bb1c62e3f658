// Who holds which block of the KV cache. Bookkeeping only: a block is a number; runtime/kv_memory.h has the memory behind it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ridgeline {

inline constexpr int64_t block_tokens = 32;  // tokens of one sequence that a block holds, in every layer

class BlockPool {
 public:
  explicit BlockPool(int64_t blocks);
  int64_t size() const { return static_cast<int64_t>(taken_.size()); }
  int64_t free_count() const { return static_cast<int64_t>(free_.size()); }
  // The block last given back, or the lowest never used. Throws Error (unavailable, "kv_full") when there is none.
  int32_t take();
  void give_back(int32_t block);  // throws Error (internal) for a block that is not taken

 private:
  std::vector<int32_t> free_;  // used as a stack
  std::vector<char> taken_;
};

// The blocks of one sequence, in the order of its positions: position p lies in block p / 32, at place p % 32.
class BlockTable {
 public:
  explicit BlockTable(BlockPool& pool) : pool_(&pool) {}
  BlockTable(BlockTable&&) noexcept;
  BlockTable& operator=(BlockTable&&) noexcept;
  ~BlockTable() { shrink(0); }

  // Room for `tokens` positions: takes blocks until there is. On an Error (unavailable) what it had before is kept.
  // Returns the blocks newly taken, which the caller must clear before they are read.
  std::vector<int32_t> grow(int64_t tokens);
  void shrink(int64_t tokens);  // gives back the blocks that `tokens` positions do not need
  const std::vector<int32_t>& blocks() const { return blocks_; }
  int64_t slot(int64_t position) const {
    return blocks_[static_cast<size_t>(position / block_tokens)] * block_tokens + position % block_tokens;
  }

 private:
  BlockPool* pool_;
  std::vector<int32_t> blocks_;
};

}  // namespace ridgeline
