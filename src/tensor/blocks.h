// Weights as GGUF stores them: blocks of 32 elements that share a scale. Layouts, and conversion from and to fp32.
// Layouts: ggml-common.h of the GGUF reference implementation. Everything is little endian; d and m are fp16 bits.
#pragma once
#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace ridgeline {

inline constexpr int64_t block_elements = 32;

// x[i] = d * q[i], q in [-128, 127]
struct BlockQ8_0 {
  uint16_t d;
  int8_t q[block_elements];
};
// x[i] = d * (nibble(i) - 8). Element i is the low nibble of q[i], element i + 16 the high nibble of q[i], i in [0,
// 16).
struct BlockQ4_0 {
  uint16_t d;
  uint8_t q[block_elements / 2];
};
// x[i] = d * nibble(i) + m, nibbles in the order of BlockQ4_0.
struct BlockQ4_1 {
  uint16_t d, m;
  uint8_t q[block_elements / 2];
};
static_assert(sizeof(BlockQ8_0) == row_of(DType::q8_0).block_bytes);
static_assert(sizeof(BlockQ4_0) == row_of(DType::q4_0).block_bytes);
static_assert(sizeof(BlockQ4_1) == row_of(DType::q4_1).block_bytes);

// Both below work on f32, f16, bf16, q8_0, q4_0 and q4_1; `elements` is a whole number of blocks. Any other type or
// count is a fault of the caller (internal). The bytes need no alignment. Products and sums round once each, as written
// above.
void dequantize_row(DType type, const std::byte* in, int64_t elements, float* out);

// Rounds to the nearest code, bit for bit as the reference quantizer of the format does:
//   q8_0: d = max|x| / 127;  q4_0: d = e / -8 with e the element of largest magnitude;  q4_1: d = (max - min) / 15, m =
//   min.
// Finite values whose scale fits in fp16 come back within half a step (q4_0: one step at the far end, -e). Others give
// some code, never undefined behaviour.
void quantize_row(DType type, const float* in, int64_t elements, std::byte* out);

}  // namespace ridgeline
