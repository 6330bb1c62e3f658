// The memory behind the blocks of the KV cache: per layer, the pages of every block.
#pragma once
#include "base/large_memory.h"
#include "program/program.h"
#include "tensor/pages.h"

namespace ridgeline {

class KvMemory {
 public:
  // Room for `blocks` blocks of every state of a program whose heads have head_dim elements. Throws Error (unavailable).
  KvMemory(const Program&, int head_dim, int64_t blocks);
  // Bytes one block takes in all layers.
  static int64_t block_bytes(const Program&, int head_dim);
  // The same by layer, in the order in which layers lie in memory.
  static std::vector<int64_t> layer_block_bytes(const Program&, int head_dim);

  // By id in the program given.
  const Tensor& tensor(Value state) const { return tensors_.at(static_cast<size_t>(state.id)); }
  void clear(int32_t block);  // to zeros: a block's unwritten slots must hold finite values
  int64_t bytes() const { return static_cast<int64_t>(memory_.size()); }

 private:
  LargeMemory memory_;
  std::vector<Tensor> tensors_;  // by value id
  struct Layer {
    std::byte* data;
    int64_t block_bytes;
  };
  std::vector<Layer> layers_;
};

}  // namespace ridgeline
