#include "kernels/attention.h"

#include "kernels/attention_bf16.h"
#include "kernels/attention_f32.h"
#include "kernels/avx2/cells.h"

namespace ridgeline {
namespace {

// A bf16 is the upper half of its fp32: of a line of pairs, one shift gives the even elements and one mask the odd ones.
struct Bf16Pages : Bf16PageLayout {
  using Factor = float;
  static constexpr int64_t factors(int64_t k) { return k; }

  static void put_factors(F32x16 low, F32x16 high, float* to) {
    store(to, from_bf16(to_bf16(low))), store(to + 16, from_bf16(to_bf16(high)));
  }
  static void put_weights(F32x16 low, F32x16 high, float* to) { put_factors(low, high, to); }

  static void add_products(const float* a, int64_t a_step, const std::byte* b, int64_t b_step, float* c, int64_t c_step,
                           TileShape shape) {
    each_tile_of_rows<6>(shape.rows, [&](auto rows, int64_t first) {
      Tile t{a + first * a_step,
             a_step,
             b,
             b_step,
             c + first * c_step,
             c_step,
             shape.k,
             shape.first,
             first ? nullptr : shape.ahead,
             first ? nullptr : shape.later};
      for (int64_t col = 0; col < shape.cols; col += 8) columns<rows.value>(t, col, shape.cols - col);
    });
  }

 private:
  struct Tile {
    const float* a;
    int64_t a_step;
    const std::byte* b;
    int64_t b_step;
    float* c;
    int64_t c_step, k;
    bool first;
    const std::byte *ahead, *later;
  };

  // Rows by eight columns, perhaps not all there: twelve accumulators of sixteen registers.
  template <int Rows>
  static void columns(const Tile& t, int64_t col, int64_t left) {
    const __m256i there = first_lanes(left).m[0], high = _mm256_set1_epi32(static_cast<int>(0xffff0000));
    __m256 even[Rows], odd[Rows];
#pragma GCC unroll 6
    for (int r = 0; r < Rows; ++r) even[r] = odd[r] = _mm256_setzero_ps();

    for (int64_t k = 0; k < t.k; k += 2) {
      const std::byte* line = t.b + k / 2 * t.b_step + 4 * col;
      __m256i pairs = left >= 8 ? load_halves(line) : _mm256_maskload_epi32(reinterpret_cast<const int*>(line), there);
      if (t.ahead && col % 16 == 0) _mm_prefetch(t.ahead + (line - t.b), _MM_HINT_T0);
      if (t.later && col % 16 == 0) _mm_prefetch(t.later + (line - t.b), _MM_HINT_T1);
      __m256 b_even = _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16)),
             b_odd = _mm256_castsi256_ps(_mm256_and_si256(pairs, high));
#pragma GCC unroll 6
      for (int r = 0; r < Rows; ++r) {
        even[r] = _mm256_fmadd_ps(_mm256_broadcast_ss(t.a + r * t.a_step + k), b_even, even[r]);
        odd[r] = _mm256_fmadd_ps(_mm256_broadcast_ss(t.a + r * t.a_step + k + 1), b_odd, odd[r]);
      }
    }
#pragma GCC unroll 6
    for (int r = 0; r < Rows; ++r) {
      float* to = t.c + r * t.c_step + col;
      __m256 before = t.first ? _mm256_setzero_ps() : _mm256_loadu_ps(to);
      _mm256_storeu_ps(to, _mm256_add_ps(before, _mm256_add_ps(even[r], odd[r])));
    }
  }
};

constexpr Cell attention_table[] = {
    {"attention", {DType::f32, DType::bf16}, attention<Bf16Pages>, attention_shared_bytes<Bf16Pages>},
    {"attention", {DType::f32, DType::f32}, attention<F32Pages>, attention_shared_bytes<F32Pages>},
};

}  // namespace

std::span<const Cell> avx2::attention_cells() { return attention_table; }

}  // namespace ridgeline
