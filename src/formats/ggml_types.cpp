#include "formats/ggml_types.h"

#include <algorithm>

#include "base/error.h"

namespace ridgeline {
namespace {

constexpr GgmlType rows[] = {
    {0, "F32", 1, 4, DType::f32},
    {1, "F16", 1, 2, DType::f16},
    {2, "Q4_0", 32, 18, DType::q4_0},
    {3, "Q4_1", 32, 20, DType::q4_1},
    {4, "Q4_2", 0, 0, {}},
    {5, "Q4_3", 0, 0, {}},
    {6, "Q5_0", 32, 22, DType::q5_0},
    {7, "Q5_1", 32, 24, DType::q5_1},
    {8, "Q8_0", 32, 34, DType::q8_0},
    {9, "Q8_1", 32, 36, {}},
    {10, "Q2_K", 256, 84, DType::q2_K},
    {11, "Q3_K", 256, 110, DType::q3_K},
    {12, "Q4_K", 256, 144, DType::q4_K},
    {13, "Q5_K", 256, 176, DType::q5_K},
    {14, "Q6_K", 256, 210, DType::q6_K},
    {15, "Q8_K", 256, 292, {}},
    {16, "IQ2_XXS", 256, 66, {}},
    {17, "IQ2_XS", 256, 74, {}},
    {18, "IQ3_XXS", 256, 98, {}},
    {19, "IQ1_S", 256, 50, {}},
    {20, "IQ4_NL", 32, 18, {}},
    {21, "IQ3_S", 256, 110, {}},
    {22, "IQ2_S", 256, 82, {}},
    {23, "IQ4_XS", 256, 136, {}},
    {24, "I8", 1, 1, {}},
    {25, "I16", 1, 2, {}},
    {26, "I32", 1, 4, {}},
    {27, "I64", 1, 8, {}},
    {28, "F64", 1, 8, {}},
    {29, "IQ1_M", 256, 56, {}},
    {30, "BF16", 1, 2, DType::bf16},
    {31, "Q4_0_4_4", 0, 0, {}},
    {32, "Q4_0_4_8", 0, 0, {}},
    {33, "Q4_0_8_8", 0, 0, {}},
    {34, "TQ1_0", 256, 54, {}},
    {35, "TQ2_0", 256, 66, {}},
    {36, "IQ4_NL_4_4", 0, 0, {}},
    {37, "IQ4_NL_4_8", 0, 0, {}},
    {38, "IQ4_NL_8_8", 0, 0, {}},
    {39, "MXFP4", 32, 17, {}},
    {40, "NVFP4", 64, 36, {}},
    {41, "Q1_0", 128, 18, {}},
    {42, "Q2_0", 64, 18, {}},
};

// The ids have no holes, so that an id is its row.
constexpr bool ids_are_rows() {
  for (uint32_t i = 0; i < std::size(rows); i++) {
    if (rows[i].id != i) return false;
  }
  return true;
}
static_assert(ids_are_rows());

// Where a type computes, the file's idea of its blocks and the engine's are the same.
constexpr bool blocks_agree() {
  return std::all_of(std::begin(rows), std::end(rows), [](const GgmlType& t) {
    return !t.dtype ||
           (t.block == uint64_t(row_of(*t.dtype).block) && t.block_bytes == uint64_t(row_of(*t.dtype).block_bytes));
  });
}
static_assert(blocks_agree());

}  // namespace

std::span<const GgmlType> ggml_types() { return rows; }

std::string computing_ggml_types() {
  std::string names;
  for (const GgmlType& t : rows)
    if (t.dtype) names += (names.empty() ? "" : ", ") + std::string(t.name);
  return names;
}

const GgmlType* find_ggml_type(uint32_t id) { return id < std::size(rows) ? &rows[id] : nullptr; }

const GgmlType& ggml_type_of(DType type) {
  auto row = std::find_if(std::begin(rows), std::end(rows), [&](const GgmlType& t) { return t.dtype == type; });
  require(row != std::end(rows), "{} has no form in a GGUF file", name_of(type));
  return *row;
}

}  // namespace ridgeline
