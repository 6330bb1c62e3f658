// Rows taken out of a table: a row-major activation, or a weight matrix in panels, dequantized.
#pragma once
#include "kernels/kernel_set.h"
#include "kernels/vector.h"
#include "ops/select_rows.h"

namespace ridgeline {
namespace {

// Eight quads of bytes, `step` bytes apart.
inline __m256i gather_quads(const std::byte* from, int64_t step) {
  alignas(32) uint32_t quads[8];
  for (int64_t i = 0; i < 8; ++i) std::memcpy(&quads[i], from + i * step, 4);
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(quads));
}

inline float half_at(const std::byte* p) {
  uint16_t h;
  std::memcpy(&h, p, 2);
  return _cvtsh_ss(h);
}

// x[k] = scale * code[k] + minimum of one group
inline void dequantize(__m256i codes, float scale, float minimum, float* x) {
  store(x, from_int8(_mm256_castsi256_si128(codes)) * F32x16(scale) + F32x16(minimum));
  store(x + 16, from_int8(_mm256_extracti128_si256(codes, 1)) * F32x16(scale) + F32x16(minimum));
}

// The 32 k of column n of one record of a panel.
inline void unpack_record(DType t, const std::byte* record, int64_t n, float* x) {
  const std::byte* column = record + n % 16 * 4;
  if (t == DType::q8_0) {
    __m256i codes = _mm256_xor_si256(gather_quads(column + n / 16 * 64, 128), _mm256_set1_epi8(-128));
    return dequantize(codes, half_at(record + 1024 + 2 * n), 0, x);
  }
  if (is_grouped(t)) {
    __m256i both = gather_quads(column, 64), codes = n < 16 ? both : _mm256_srli_epi16(both, 4);
    codes = _mm256_and_si256(codes, _mm256_set1_epi8(15));
    if (t == DType::q4_0) codes = _mm256_sub_epi8(codes, _mm256_set1_epi8(8));
    return dequantize(codes, half_at(record + 512 + 2 * n), t == DType::q4_1 ? half_at(record + 576 + 2 * n) : 0, x);
  }
  if (t == DType::bf16) {
    column += n / 16 * 1024;
    store(x, from_bf16(gather_quads(column, 64))), store(x + 16, from_bf16(gather_quads(column + 512, 64)));
  } else if (t == DType::f16) {
    for (int64_t k = 0; k < 32; ++k) x[k] = half_at(record + k * 64 + 2 * n);
  } else {
    for (int64_t k = 0; k < 32; ++k) std::memcpy(x + k, record + k * 128 + 4 * n, 4);
  }
}

inline void unpack_row(const Tensor& table, int64_t n, float* y) {
  const std::byte* record = table.data + n / panel_columns * panel_bytes(table.dtype, table.cols);
  for (int64_t k = 0; k < table.cols; k += record_depth, record += record_bytes(table.dtype)) {
    float x[record_depth];
    unpack_record(table.dtype, record, n % panel_columns, x);
    std::memcpy(y + k, x,
                static_cast<size_t>(table.cols - k < record_depth ? table.cols - k : record_depth) * sizeof(float));
  }
}

inline void widen_row(const Tensor& table, int64_t n, float* y) {
  const auto* from = table.row_as<uint16_t>(n);
  for (int64_t i = 0; i < table.cols; i += 16) {
    int64_t left = table.cols - i;
    uint16_t x[16] = {};
    std::memcpy(x, from + i, static_cast<size_t>(left < 16 ? left : 16) * 2);
    store_first(y + i, table.dtype == DType::bf16 ? from_bf16(load_halves(x)) : from_f16(load_halves(x)), left);
  }
}

inline void select_rows(const Op& op, const KernelMemory& m, Worker& w) {
  auto& o = *op.as<SelectRows>();
  const Tensor &table = m.tensor(o.table), &y = m.result_tensor();
  const auto* index = m.tensor(o.index).as<int32_t>();
  auto [begin, end] = w.share(y.rows);
  for (int64_t r = begin; r < end; ++r) {
    if (table.layout == Layout::panels)
      unpack_row(table, index[r], y.row_as<float>(r));
    else if (table.dtype == y.dtype)
      std::memcpy(y.row(r), table.row(index[r]), static_cast<size_t>(bytes_of(y.dtype, y.cols)));
    else
      widen_row(table, index[r], y.row_as<float>(r));
  }
}

}  // namespace
}  // namespace ridgeline
