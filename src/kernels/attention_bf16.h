// What the bf16 pages of both sets share (tensor/pages.h): lines of pairs, two k of 32 tokens or two tokens of one k.
#pragma once
#include "kernels/attention.h"
#include "kernels/page_rows.h"

namespace ridgeline {
namespace {

struct Bf16PageLayout {
  static constexpr DType type = DType::bf16;
  static constexpr int64_t key_line = 4 * page_tokens;
  static constexpr int64_t value_line(int64_t head_dim) { return 4 * head_dim; }
  static constexpr int64_t lines(int64_t k) { return k / 2; }

  static void pack_row(const float* keys, const float* values, int64_t token, int64_t head_dim, std::byte* page) {
    int dim = static_cast<int>(head_dim);
    put_keys(keys, head_dim, page + in_page(type, Layout::keys, dim, token, 0));
    put_values(values, head_dim, page + in_page(type, Layout::values, dim, token, 0));
  }
  static const std::byte* keys(const std::byte* page, int64_t, std::byte*) { return page; }
  static bool finite(const std::byte* values, int64_t head_dim) {
    __m256i exponent = _mm256_set1_epi16(0x7f80), any = _mm256_setzero_si256();
    for (int64_t at = 0; at < page_tokens * 2 * head_dim; at += 32) {
      __m256i x = _mm256_and_si256(load_halves(values + at), exponent);
      any = _mm256_or_si256(any, _mm256_cmpeq_epi16(x, exponent));
    }
    return _mm256_testz_si256(any, any);
  }
  static void forget_value(std::byte* values, int64_t token, int64_t head_dim) {
    for (int64_t d = 0; d < head_dim; ++d) std::memset(values + token / 2 * 4 * head_dim + 4 * d + token % 2 * 2, 0, 2);
  }
};

// Calls f(rows as a constant, first row) for `rows` in parts as equal as can be, of at most `Most`: what the registers hold.
template <int Most, class F>
void each_tile_of_rows(int64_t rows, F f) {
  for (int64_t done = 0, tiles = (rows + Most - 1) / Most; tiles > 0; --tiles) {
    int64_t n = (rows - done + tiles - 1) / tiles;
    auto choose = [&]<int N>(auto self, std::integral_constant<int, N> constant) {
      if (n == N)
        f(constant, done);
      else if constexpr (N > 1)
        self(self, std::integral_constant<int, N - 1>());
    };
    choose(choose, std::integral_constant<int, Most>());
    done += n;
  }
}

}  // namespace
}  // namespace ridgeline
