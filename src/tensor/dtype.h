// Element types and how they are stored. One row of a table per type; nothing else in the house switches on sizes.
#pragma once
#include <cstdint>
#include <string_view>

namespace ridgeline {

// f32, f16, bf16: one element each. i32: indices. q8_0, q4_0, q4_1: weights in blocks of 32 as GGUF stores them.
// q8: activations quantized per row and per 32 elements (see docs/numerics.md).
enum class DType : uint8_t { f32, f16, bf16, i32, q8, q8_0, q4_0, q4_1 };
inline constexpr int dtype_count = 8;

struct DTypeRow {
  std::string_view name;
  int64_t block;        // elements a block holds
  int64_t block_bytes;  // bytes a block takes, in files and in row-major memory
};

inline constexpr DTypeRow dtype_rows[dtype_count] = {
    {"f32", 1, 4},    {"f16", 1, 2}, {"bf16", 1, 2}, {"i32", 1, 4}, {"q8", 32, 40},  // int8[32], scale, scale * sum
    {"q8_0", 32, 34},                                                                // fp16 d, int8[32]
    {"q4_0", 32, 18},                                                                // fp16 d, nibbles[32]
    {"q4_1", 32, 20},                                                                // fp16 d, fp16 m, nibbles[32]
};

constexpr const DTypeRow& row_of(DType t) { return dtype_rows[static_cast<int>(t)]; }
constexpr std::string_view name_of(DType t) { return row_of(t).name; }
constexpr bool is_grouped(DType t) {
  return t == DType::q8_0 || t == DType::q4_0 || t == DType::q4_1;
}  // weights with a scale per 32
constexpr bool is_float(DType t) { return t == DType::f32 || t == DType::f16 || t == DType::bf16; }

// Bytes of `elements` elements, a whole number of blocks.
constexpr int64_t bytes_of(DType t, int64_t elements) { return elements / row_of(t).block * row_of(t).block_bytes; }

}  // namespace ridgeline
