// How a file format names and arranges the weights of a family: one table per family and format.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "program/program.h"

namespace ridgeline {

// "*" in both names stands for the number of the layer.
struct TensorBinding {
  std::string_view weight;  // in the program: "layers.*.q"
  std::string_view tensor;  // in the file: "blk.*.attn_q.weight"
  // The file's rows of each head are interleaved for another pairing of rotary elements: row 2i is our i, row 2i + 1 our
  // i + turned / 2. Rows from `turned` on, which no position turns, are where they are.
  bool interleaved_heads = false;
  // Weights that name one tensor share its rows: they lie one after another, in the table's order. by_kv_head: so within the
  // rows of each KV head, which hold its share of each weight.
  bool by_kv_head = false;
  // The file has [in, out] where a weight is [out, in]: its columns are meant where rows are spoken of.
  bool transposed = false;
  bool plus_one = false;            // the file has the weight less 1
  std::string_view or_tensor = {};  // its name in some files
};

// The tensor of one weight, with the layer's number put in.
struct BoundTensor {
  std::string tensor, or_tensor;
  TensorBinding rule;
};
// None: the table does not name the weight.
std::optional<BoundTensor> bind_tensor(const std::vector<TensorBinding>&, const std::string& weight);

// How the rows of q, k and v are shared out among heads, for rules that speak of heads.
struct HeadRows {
  int64_t head_dim = 1;
  int64_t turned = 1;  // of the rows of a head: those that rotary positions turn
  int64_t kv_heads = 1;
};

// Which of a tensor's rows are a weight's. Of a vector, elements are meant.
struct TensorRows {
  int64_t first = 0, rows = 0;  // of the weight, among those of all weights of the tensor, one after another
  int64_t of = 0;               // rows of the tensor
  HeadRows heads;
  // The row of the tensor that holds row n of the weight.
  int64_t at(const TensorBinding&, int64_t n) const;
};
// What of its tensor a weight of the program takes up. The program must have all the weights that share the tensor.
TensorRows rows_in_tensor(const std::vector<TensorBinding>&, const Program&, const std::string& weight,
                          const HeadRows& heads);

}  // namespace ridgeline
