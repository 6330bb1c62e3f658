// The weights of a program in memory: matrices packed into panels once, vectors as fp32. The file's pages are let go tensor by
// tensor, so that there are never two full copies.
#pragma once
#include <span>
#include <vector>

#include "base/large_memory.h"
#include "base/team.h"
#include "formats/checkpoint.h"
#include "models/catalogue.h"
#include "program/program.h"
#include "tensor/tensor.h"

namespace ridgeline {

class Weights {
 public:
  // Reads every weight that `program` declares. Where the program's type differs from the file's, rows are dequantized and
  // rounded to the program's. Throws Error (bad_data) where a tensor is missing or does not fit, (unavailable) out of memory.
  static Weights load(const Program& program, const Checkpoint& model, const ModelConfig& config, Team& team);
  // Weights made by row(name, n, to): row n of a matrix, or a vector as row 0, in fp32. For tests.
  using RowMaker = std::function<void(const std::string& name, int64_t n, float* to)>;
  static Weights make(const Program& program, const RowMaker& row);

  // Bytes that load() will take for a program.
  static int64_t bytes_needed(const Program&);

  // By id in the program given.
  const Tensor& tensor(Value weight) const { return tensors_.at(static_cast<size_t>(weight.id)); }
  int64_t bytes() const { return static_cast<int64_t>(memory_.size()); }
  std::span<const std::byte> memory() const { return {memory_.data(), memory_.size()}; }

 private:
  explicit Weights(const Program& program);  // laid out, zeroed
  LargeMemory memory_;
  std::vector<Tensor> tensors_;  // by value id
};

}  // namespace ridgeline
