// One op over random values, run by its reference evaluation and by a kernel, and the two compared bit for bit.
#pragma once
#include <deque>
#include <random>

#include "kernels/kernel_set.h"

namespace ridgeline::test {

// What the random values are like.
//   ordinary: of about unit size     small: many zeros, denormals (of fp16 and bf16 too) and huge values
//   special: infinities and NaN among ordinary ones
enum class Numbers : uint8_t { ordinary, small, special };
inline constexpr Numbers all_numbers[] = {Numbers::ordinary, Numbers::small, Numbers::special};

class OneOp {
 public:
  OneOp(Numbers numbers, uint32_t seed, BatchShape batch = {});

  // Operands, filled with random values. Sizes may be symbols of the batch.
  Value activation(DType, Dim rows, int64_t cols);
  Value weight(DType, int64_t rows, int64_t cols);  // a matrix, in panels
  Value table(DType, int64_t rows, int64_t cols);   // a matrix, row-major
  Value vector(int64_t cols);
  Value index(Dim rows, int64_t below);  // random indices
  Value positions();
  Value sequences();
  Value slots();  // pages in no order, with unused ones between
  // One layer's keys or values, with all that is cached and all that the step adds; before: only what is cached so far.
  Value cache(DType, Layout, int64_t kv_heads, int head_dim, bool before = false);

  void set(Op);  // the op, over the values above; evaluates the reference
  Signature signature() const { return program_.signature(program_.nodes.at(0)); }
  const Program& program() const { return program_; }
  const BatchShape& batch() const { return batch_; }

  // Runs the cell on a team and says where its results differ from the reference; empty: nowhere.
  std::string difference(const Cell&, Team&);
  // As above, but only the time: for benches.
  void run(const Cell&, Team&);
  int64_t random(int64_t least, int64_t most);

 private:
  struct Buffer {
    explicit Buffer(size_t bytes);
    size_t size;
    std::unique_ptr<std::byte, void (*)(std::byte*)> bytes;
  };
  Value add(Type, Layout, Program::Origin, int head_dim = 0);
  Tensor& tensor(Value v) { return tensors_.at(static_cast<size_t>(v.id)); }
  void begin_tensor();
  void begin_row();
  float value();
  float moderate();
  void fill_rows(const Tensor&);
  void fill_block(DType, std::byte* block);
  std::vector<std::byte> contents(Value v) const;

  BatchShape batch_;
  Numbers numbers_;
  std::mt19937 random_;
  Program program_;
  std::vector<Tensor> tensors_;
  std::deque<Buffer> buffers_;
  std::vector<int32_t> blocks_;  // the block of each page of the batch, in order
  int64_t pool_blocks_ = 0, special_rows_ = 1;
  bool special_row_ = false;
  std::vector<std::vector<std::byte>> before_, expected_;  // of each result
};

}  // namespace ridgeline::test
