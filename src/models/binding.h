// How a file format names and arranges the weights of a family: one table per family and format.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "program/builder.h"

namespace ridgeline {

// "*" in both names stands for the number of the layer.
struct TensorBinding {
  std::string_view weight;  // in the program: "layers.*.q"
  std::string_view tensor;  // in the file: "blk.*.attn_q.weight"
  // The file's rows of each head are interleaved for another pairing of rotary elements: row 2i is our i, row 2i + 1 our
  // i + head_dim / 2.
  bool interleaved_heads = false;
  int part = 0, parts = 1;  // the weight is this one of `parts` equal runs of the tensor's rows
  bool transposed =
      false;              // the file has [in, out] where a weight is [out, in]; `part` then counts runs of its columns
  bool plus_one = false;  // the file has the weight less 1
};

// The binding of one weight of a program, with the layer's number put in. None: the table does not name it.
struct BoundTensor {
  std::string tensor;
  TensorBinding rule;
};
std::optional<BoundTensor> bind_tensor(const std::vector<TensorBinding>&, const std::string& weight);

// Row of the tensor that holds row n of the weight. rows: of the weight; head_dim: of one head.
int64_t source_row(const TensorBinding&, int64_t n, int64_t rows, int64_t head_dim);

}  // namespace ridgeline
