// Attention over fp32 pages, for programs that are run in fp32 throughout to be compared with others.
#pragma once
#include "kernels/attention_bf16.h"

namespace ridgeline {
namespace {

struct F32Pages {
  static constexpr DType type = DType::f32;
  using Factor = float;
  static constexpr int64_t factors(int64_t k) { return k; }
  static constexpr int64_t key_line = 4 * page_tokens;
  static constexpr int64_t value_line(int64_t head_dim) { return 4 * head_dim; }
  static constexpr int64_t lines(int64_t k) { return k; }

  static void put_factors(F32x16 low, F32x16 high, float* to) { store(to, low), store(to + 16, high); }
  static void put_weights(F32x16 low, F32x16 high, float* to) { put_factors(low, high, to); }
  static void pack_row(const float* keys, const float* values, int64_t token, int64_t head_dim, std::byte* page) {
    std::memcpy(page + token * head_dim * 4, keys, static_cast<size_t>(head_dim) * 4);
    std::memcpy(page + (page_tokens + token) * head_dim * 4, values, static_cast<size_t>(head_dim) * 4);
  }
  // Keys lie token by token: turned, so that a line is one k of all tokens.
  static const std::byte* keys(const std::byte* page, int64_t head_dim, std::byte* turned) {
    for (int64_t t = 0; t < page_tokens; ++t)
      for (int64_t d = 0; d < head_dim; ++d)
        std::memcpy(turned + (d * page_tokens + t) * 4, page + (t * head_dim + d) * 4, 4);
    return turned;
  }
  static bool finite(const std::byte* values, int64_t head_dim) {
    __m256i exponent = _mm256_set1_epi32(0x7f800000), any = _mm256_setzero_si256();
    for (int64_t at = 0; at < page_tokens * 4 * head_dim; at += 32) {
      __m256i x = _mm256_and_si256(load_halves(values + at), exponent);
      any = _mm256_or_si256(any, _mm256_cmpeq_epi32(x, exponent));
    }
    return _mm256_testz_si256(any, any);
  }
  static void forget_value(std::byte* values, int64_t token, int64_t head_dim) {
    std::memset(values + token * head_dim * 4, 0, static_cast<size_t>(head_dim) * 4);
  }

  static void add_products(const float* a, int64_t a_step, const std::byte* b, int64_t b_step, float* c, int64_t c_step,
                           TileShape shape) {
    each_tile_of_rows<3>(shape.rows, [&](auto rows, int64_t first) {
      for (int64_t col = 0; col < shape.cols; col += 16)
        tile<rows.value>(a + first * a_step, a_step, b + 4 * col, b_step, c + first * c_step + col, c_step, shape,
                         first_lanes(shape.cols - col));
    });
  }

 private:
  template <int Rows>
  static void tile(const float* a, int64_t a_step, const std::byte* b, int64_t b_step, float* c, int64_t c_step,
                   const TileShape& shape, Some columns) {
    F32x16 even[3] = {F32x16(0.0f), F32x16(0.0f), F32x16(0.0f)}, odd[3] = {F32x16(0.0f), F32x16(0.0f), F32x16(0.0f)};
    auto line = [&](int64_t k) { return load_some(reinterpret_cast<const float*>(b + k * b_step), columns); };
    for (int64_t k = 0; k < shape.k; k += 2) {
      F32x16 b0 = line(k), b1 = line(k + 1);
      for (int r = 0; r < Rows; ++r) {
        even[r] = mul_add(F32x16(a[r * a_step + k]), b0, even[r]);
        odd[r] = mul_add(F32x16(a[r * a_step + k + 1]), b1, odd[r]);
      }
    }
    for (int r = 0; r < Rows; ++r) {
      F32x16 before = shape.first ? F32x16(0.0f) : load(c + r * c_step);
      store(c + r * c_step, before + (even[r] + odd[r]));
    }
  }
};

}  // namespace
}  // namespace ridgeline
