// Weights as GGUF stores them: blocks of 32 elements that share a scale, and superblocks of 256 whose groups have scales of their
// own. Layouts, and conversion from and to fp32.
// Layouts: ggml-common.h of the GGUF reference implementation. Everything is little endian; d and m are fp16 bits.
#pragma once
#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace ridgeline {

inline constexpr int64_t block_elements = 32, superblock_elements = 256;

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
// x[i] = d * (code(i) - 16): the nibbles of BlockQ4_0, and bit i of `high` as their fifth bit.
struct BlockQ5_0 {
  uint16_t d;
  uint8_t high[4];
  uint8_t q[block_elements / 2];
};
// x[i] = d * code(i) + m
struct BlockQ5_1 {
  uint16_t d, m;
  uint8_t high[4];
  uint8_t q[block_elements / 2];
};

// The superblocks. Planes of two bits: in each half of 128 elements, field f of byte i (f, i < 4, 32) is of element 32 f + i.
// Planes of one bit: bit f of byte i (f, i < 8, 32) is of element 32 f + i.

// x = d * scale * code - m * minimum, per 16: scale the low, minimum the high nibble of a byte.
struct BlockQ2_K {
  uint8_t scales[16];
  uint8_t q[64];
  uint16_t d, m;
};
// x = d * (scale - 32) * (code - 4), per 16. Low nibbles of scales 0 to 7 and 8 to 15 are those of bytes 0 to 7; the two bits
// above them are field s / 4 of byte 8 + s % 4.
struct BlockQ3_K {
  uint8_t high[32];
  uint8_t q[64];
  uint8_t scales[12];
  uint16_t d;
};
// x = d * scale * code - m * minimum, per 32, scales and minimums of six bits. Of groups 0 to 3 they are the low six bits of
// bytes g and 4 + g; of 4 to 7 the low and the high nibble of byte 4 + g, and above them the top two bits of bytes g - 4 and g.
// Codes: per 64 elements 32 bytes, low nibbles first.
struct BlockQ4_K {
  uint16_t d, m;
  uint8_t scales[12];
  uint8_t q[128];
};
struct BlockQ5_K {
  uint16_t d, m;
  uint8_t scales[12];
  uint8_t high[32];
  uint8_t q[128];
};
// x = d * scale * (code - 32), per 16, scales int8. Codes: per 128 elements 64 bytes, low nibbles first.
struct BlockQ6_K {
  uint8_t q[128];
  uint8_t high[64];
  int8_t scales[16];
  uint16_t d;
};
static_assert(sizeof(BlockQ8_0) == row_of(DType::q8_0).block_bytes);
static_assert(sizeof(BlockQ4_0) == row_of(DType::q4_0).block_bytes);
static_assert(sizeof(BlockQ4_1) == row_of(DType::q4_1).block_bytes);
static_assert(sizeof(BlockQ5_0) == row_of(DType::q5_0).block_bytes);
static_assert(sizeof(BlockQ5_1) == row_of(DType::q5_1).block_bytes);
static_assert(sizeof(BlockQ2_K) == row_of(DType::q2_K).block_bytes);
static_assert(sizeof(BlockQ3_K) == row_of(DType::q3_K).block_bytes);
static_assert(sizeof(BlockQ4_K) == row_of(DType::q4_K).block_bytes);
static_assert(sizeof(BlockQ5_K) == row_of(DType::q5_K).block_bytes);
static_assert(sizeof(BlockQ6_K) == row_of(DType::q6_K).block_bytes);

// What a block of any grouped type holds, one code a byte. The weight of code i in group g is
//   fl(d * scale[g]) * (q[i] - zero) - fl(m * minimum[g])     superblocks
//   d * (q[i] - zero) + m                                     blocks of 32, which leave scale and minimum alone
struct BlockCodes {
  uint16_t d, m;  // fp16 bits; m: of types with minimums
  int8_t scale[16];
  uint8_t minimum[16];
  uint8_t q[superblock_elements];  // from 0 to 2^bits - 1
};
// Between the stored block and its codes, without loss either way. Grouped types only; anything else is a fault of the caller
// (internal). Neither needs alignment.
void unpack_block(DType type, const std::byte* block, BlockCodes& codes);
void pack_block(DType type, const BlockCodes& codes, std::byte* block);

// The scale of group g, and what is added to its weights (0 for types without minimums): exact, but for a NaN or an infinity.
struct GroupScale {
  float scale, minimum;
};
GroupScale group_scale(DType type, const BlockCodes& codes, int64_t g);

// Both below work on every type of a weight matrix (stored_types); `elements` is a whole number of blocks. Any other type or
// count is a fault of the caller (internal). The bytes need no alignment. Products and sums round once each, as written
// above.
void dequantize_row(DType type, const std::byte* in, int64_t elements, float* out);

// Rounds to the nearest code.
// Blocks of 32: bit for bit as the reference quantizer of the format does:
//   q8_0: d = max|x| / 127;  q4_0, q5_0: d = e / -8, e / -16 with e the element of largest magnitude;  q4_1, q5_1: d = (max -
//   min) / 15, / 31, m = min.
// Finite values whose scale fits in fp16 come back within half a step (q4_0, q5_0: one step at the far end, -e).
// Superblocks: not as the reference quantizers, which search for the scales of least error; here scales and minimums are the
// least that cover the group's values, rounded up. So finite values come back within half a step of their group, and with c
// the greatest code, s and n the greatest scale and minimum of the type (q2_K: 3, 15, 15; q4_K: 15, 63, 63; q5_K: 31, 63, 63)
// a step is at most  (max - min + M / n) / c + D / s,  D and M being the greatest step and the greatest -min of all groups
// (min at most, max at least 0); for q3_K (c = 3, s = 31) and q6_K (c = 31, s = 127) at most  max|x| / c + D / s.
// Values that are not finite, or whose scale does not fit, give some code, never undefined behaviour.
void quantize_row(DType type, const float* in, int64_t elements, std::byte* out);

}  // namespace ridgeline
