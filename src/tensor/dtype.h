// Element types and how they are stored. One row of a table per type; nothing else in the house switches on sizes.
#pragma once
#include <cstdint>
#include <string_view>

namespace ridgeline {

// f32, f16, bf16: one element each. i32: indices. q8_0 to q6_K: weights in groups, in blocks as GGUF stores them
// (tensor/blocks.h); spelt as GGUF's own tools spell them. q8: activations quantized per row and per 32 elements (see
// docs/numerics.md).
enum class DType : uint8_t { f32, f16, bf16, i32, q8, q8_0, q4_0, q4_1, q5_0, q5_1, q2_K, q3_K, q4_K, q5_K, q6_K };
inline constexpr int dtype_count = 15;

// How weights in groups are coded: weight = scale * (code - zero), plus the group's minimum where there is one.
struct Grouping {
  int64_t group;  // elements that share a scale, in order; 0: no such type
  int bits, zero;
  bool minimums;
};

struct DTypeRow {
  std::string_view name;
  int64_t block;        // elements a block holds
  int64_t block_bytes;  // bytes a block takes, in files and in row-major memory
  Grouping grouping = {};
};

inline constexpr DTypeRow dtype_rows[dtype_count] = {
    {"f32", 1, 4},
    {"f16", 1, 2},
    {"bf16", 1, 2},
    {"i32", 1, 4},
    {"q8", 32, 40},                          // int8[32], scale, scale * sum
    {"q8_0", 32, 34, {32, 8, 128, false}},   // its int8 plus 128
    {"q4_0", 32, 18, {32, 4, 8, false}},     //
    {"q4_1", 32, 20, {32, 4, 0, true}},      //
    {"q5_0", 32, 22, {32, 5, 16, false}},    //
    {"q5_1", 32, 24, {32, 5, 0, true}},      //
    {"q2_K", 256, 84, {16, 2, 0, true}},     //
    {"q3_K", 256, 110, {16, 3, 4, false}},   //
    {"q4_K", 256, 144, {32, 4, 0, true}},    //
    {"q5_K", 256, 176, {32, 5, 0, true}},    //
    {"q6_K", 256, 210, {16, 6, 32, false}},  //
};

constexpr const DTypeRow& row_of(DType t) { return dtype_rows[static_cast<int>(t)]; }
constexpr std::string_view name_of(DType t) { return row_of(t).name; }
constexpr const Grouping& grouping_of(DType t) { return row_of(t).grouping; }
constexpr bool is_grouped(DType t) { return grouping_of(t).group > 0; }
constexpr bool is_float(DType t) { return t == DType::f32 || t == DType::f16 || t == DType::bf16; }

// The types a weight matrix can have, in the order of the enumeration.
inline constexpr DType stored_types[] = {DType::f32,  DType::f16,  DType::bf16, DType::q8_0, DType::q4_0,
                                         DType::q4_1, DType::q5_0, DType::q5_1, DType::q2_K, DType::q3_K,
                                         DType::q4_K, DType::q5_K, DType::q6_K};

// Bytes of `elements` elements, a whole number of blocks.
constexpr int64_t bytes_of(DType t, int64_t elements) { return elements / row_of(t).block * row_of(t).block_bytes; }

}  // namespace ridgeline
