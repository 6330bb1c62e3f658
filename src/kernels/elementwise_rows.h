// Rows taken out of a table: a row-major activation, or a weight matrix in panels, dequantized.
#pragma once
#include <algorithm>

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

// The 32 codes of column n in one plane of a part (tensor/panels.h).
inline __m256i plane_codes(const std::byte* plane, int bits, int64_t n) {
  alignas(32) uint32_t quads[8], shifts[8];
  for (int i = 0; i < 8; ++i) {
    int64_t at = (2 * i + n / 16) * bits;
    std::memcpy(&quads[i], plane + at / 8 * 64 + n % 16 * 4, 4);
    shifts[i] = static_cast<uint32_t>(at % 8);
  }
  __m256i shifted = _mm256_srlv_epi32(_mm256_load_si256(reinterpret_cast<const __m256i*>(quads)),
                                      _mm256_load_si256(reinterpret_cast<const __m256i*>(shifts)));
  return _mm256_and_si256(shifted, _mm256_set1_epi8(static_cast<char>((1 << bits) - 1)));
}

// The 32 k of column n of one part of a grouped type.
inline void unpack_part(DType t, const std::byte* record, int part, int64_t n, float* x) {
  const GroupedPanel lies = grouped_panel(t);
  const Grouping& grouping = grouping_of(t);
  const std::byte* from = record + lies.header() + part * lies.part();
  __m256i codes = plane_codes(from, lies.low, n);
  if (lies.high) {
    __m256i high = plane_codes(from + lies.low_plane(), lies.high, n);
    codes = _mm256_or_si256(codes, _mm256_slli_epi16(high, lies.low));
  }
  codes = _mm256_sub_epi8(codes, _mm256_set1_epi8(static_cast<char>(grouping.zero)));

  float d = half_at(record + 2 * n), m = lies.minimums ? half_at(record + 64 + 2 * n) : 0;
  for (int g = 0; g < 2; ++g) {  // 16 k each
    float scale = d, minimum = m;
    if (lies.parts > 1) {
      const auto* bytes = reinterpret_cast<const uint8_t*>(from + lies.codes()) + n;
      if (grouping.group == 32) {
        scale *= bytes[0], minimum *= -static_cast<float>(bytes[panel_columns]);
      } else if (lies.minimums) {
        scale *= static_cast<float>(bytes[g * panel_columns] & 15);
        minimum *= -static_cast<float>(bytes[g * panel_columns] >> 4);
      } else {
        scale *= static_cast<int8_t>(bytes[g * panel_columns]);
      }
    }
    __m128i half = g == 0 ? _mm256_castsi256_si128(codes) : _mm256_extracti128_si256(codes, 1);
    store(x + 16 * g, from_int8(half) * F32x16(scale) + F32x16(minimum));
  }
}

// The 32 k of column n of a record of a float type.
inline void widen_record(DType t, const std::byte* record, int64_t n, float* x) {
  if (t == DType::bf16) {
    const std::byte* column = record + n / 16 * 1024 + n % 16 * 4;
    store(x, from_bf16(gather_quads(column, 64))), store(x + 16, from_bf16(gather_quads(column + 512, 64)));
  } else if (t == DType::f16) {
    for (int64_t k = 0; k < 32; ++k) x[k] = half_at(record + k * 64 + 2 * n);
  } else {
    for (int64_t k = 0; k < 32; ++k) std::memcpy(x + k, record + k * 128 + 4 * n, 4);
  }
}

inline void unpack_row(const Tensor& table, int64_t n, float* y) {
  DType t = table.dtype;
  const std::byte* record = table.data + n / panel_columns * panel_bytes(t, table.cols);
  n %= panel_columns;
  if (is_grouped(t)) {
    for (int64_t k = 0; k < table.cols; k += record_depth(t), record += record_bytes(t))
      for (int part = 0; part < record_parts(t); ++part) unpack_part(t, record, part, n, y + k + part * part_depth);
    return;
  }
  for (int64_t k = 0; k < table.cols; k += part_depth, record += record_bytes(t)) {
    float x[part_depth];
    widen_record(t, record, n, x);
    std::memcpy(y + k, x, static_cast<size_t>(std::min<int64_t>(table.cols - k, part_depth)) * sizeof(float));
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
