// The paged KV cache of one layer: pages of 32 tokens, one per (block, kv head), keys and values of a page adjacent, both in
// the order the matrix kernels read them, so that neither appending nor attending ever repacks.
//   bf16   K [head_dim / 2][32 tokens][2]   V [16 token pairs][head_dim][2 tokens]
//   f32    K [32 tokens][head_dim]          V [32 tokens][head_dim]
// A slot is block * 32 + token; the rows of the `keys` and `values` tensors of a layer are slots.
#pragma once
#include <cstdint>

#include "tensor/tensor.h"

namespace ridgeline {

inline constexpr int page_tokens = 32;

constexpr int64_t page_bytes(DType t, int head_dim) { return 2 * bytes_of(t, int64_t{page_tokens} * head_dim); }

// Byte offset of the page of `block` and `head` in a layer with `kv_heads` heads.
constexpr int64_t page_offset(DType t, int head_dim, int64_t kv_heads, int64_t block, int64_t head) {
  return (block * kv_heads + head) * page_bytes(t, head_dim);
}

// Byte offset of element d of a head for one token inside a page.
constexpr int64_t in_page(DType t, Layout layout, int head_dim, int64_t token, int64_t d) {
  int64_t half = layout == Layout::values ? page_bytes(t, head_dim) / 2 : 0;
  if (t != DType::bf16) return half + bytes_of(t, token * head_dim + d);
  return half + 2 * (layout == Layout::keys ? d / 2 * 2 * page_tokens + token * 2 + d % 2
                                            : token / 2 * 2 * head_dim + d * 2 + token % 2);
}

// Byte offset of (slot, col) in a tensor of layout keys or values.
inline int64_t kv_offset(const Tensor& t, int64_t slot, int64_t col) {
  return page_offset(t.dtype, t.head_dim, t.cols / t.head_dim, slot / page_tokens, col / t.head_dim) +
         in_page(t.dtype, t.layout, t.head_dim, slot % page_tokens, col % t.head_dim);
}

}  // namespace ridgeline
