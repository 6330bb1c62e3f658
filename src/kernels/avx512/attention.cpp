#include "kernels/attention.h"

#include "kernels/attention_bf16.h"
#include "kernels/attention_f32.h"
#include "kernels/avx512/cells.h"

namespace ridgeline {
namespace {

// vdpbf16ps adds the product of the high halves, then that of the low ones, each rounded once (checked at start-up). So k pairs
// with k + 2, the later one in the low half, and one register holds a whole chain of the definition: of the even k, or of the odd.
struct Bf16Pages : Bf16PageLayout {
  using Factor = uint32_t;
  static constexpr int64_t factors(int64_t k) { return k / 2; }

  static void put_factors(F32x16 low, F32x16 high, uint32_t* to) { put(join(to_bf16(low), to_bf16(high)), to); }
  // Weights are no denormals, so the instruction rounds them right.
  static void put_weights(F32x16 low, F32x16 high, uint32_t* to) {
    put((__m512i)_mm512_cvtne2ps_pbh(high.v, low.v), to);
  }

  static void add_products(const uint32_t* a, int64_t a_step, const std::byte* b, int64_t b_step, float* c,
                           int64_t c_step, TileShape shape) {
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
      int64_t col = 0;
      for (; col + 16 < shape.cols; col += 32) columns<rows.value, 2>(t, col, shape.cols - col);
      if (col < shape.cols) columns<rows.value, 1>(t, col, shape.cols - col);
    });
  }

 private:
  static __m512i join(__m256i low, __m256i high) { return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1); }
  // x0 x1 x2 x3 become the pairs (x2, x0), (x3, x1).
  static void put(__m512i x, uint32_t* to) {
    const __m512i order = _mm512_broadcast_i32x4(_mm_setr_epi8(4, 5, 0, 1, 6, 7, 2, 3, 12, 13, 8, 9, 14, 15, 10, 11));
    _mm512_storeu_si512(to, _mm512_shuffle_epi8(x, order));
  }

  struct Tile {
    const uint32_t* a;
    int64_t a_step;
    const std::byte* b;
    int64_t b_step;
    float* c;
    int64_t c_step, k;
    bool first;
    const std::byte *ahead, *later;
  };

  template <int Vectors, _mm_hint Hint>
  static void fetch(const std::byte* at, int64_t step) {
    _mm_prefetch(at, Hint), _mm_prefetch(at + step, Hint);
    if (Vectors == 2) _mm_prefetch(at + 64, Hint), _mm_prefetch(at + step + 64, Hint);
  }

  // Rows by 16 or 32 columns, the last of them perhaps not all there.
  template <int Rows, int Vectors>
  static void columns(const Tile& t, int64_t col, int64_t left) {
    const __mmask16 last = first_lanes(left - 16 * (Vectors - 1)).m,
                    mask[2] = {Vectors == 2 ? __mmask16{0xffff} : last, last};
    __m512 even[Rows][Vectors], odd[Rows][Vectors];
#pragma GCC unroll 6
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) even[r][v] = odd[r][v] = _mm512_setzero_ps();

    for (int64_t k = 0; k < t.k; k += 4) {
      const std::byte* line = t.b + k / 2 * t.b_step + 4 * col;
      if (t.ahead) fetch<Vectors, _MM_HINT_T0>(t.ahead + (line - t.b), t.b_step);
      if (t.later) fetch<Vectors, _MM_HINT_T1>(t.later + (line - t.b), t.b_step);
      __m512bh b_even[Vectors], b_odd[Vectors];
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) {
        __m512i l0 = _mm512_maskz_loadu_epi32(mask[v], line + 64 * v), l1 = _mm512_setzero_si512();
        if (k + 2 < t.k) l1 = _mm512_maskz_loadu_epi32(mask[v], line + t.b_step + 64 * v);
        b_even[v] = (__m512bh)_mm512_mask_blend_epi16(0x55555555, _mm512_slli_epi32(l0, 16), l1);
        b_odd[v] = (__m512bh)_mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32(l1, 16), l0);
      }
#pragma GCC unroll 6
      for (int r = 0; r < Rows; ++r) {
        const uint32_t* a = t.a + r * t.a_step + k / 2;
        auto a_even = (__m512bh)_mm512_set1_epi32(static_cast<int>(a[0])),
             a_odd = (__m512bh)_mm512_set1_epi32(static_cast<int>(a[1]));
#pragma GCC unroll 2
        for (int v = 0; v < Vectors; ++v) {
          even[r][v] = _mm512_dpbf16_ps(even[r][v], b_even[v], a_even);
          odd[r][v] = _mm512_dpbf16_ps(odd[r][v], b_odd[v], a_odd);
        }
      }
    }
#pragma GCC unroll 6
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) {
        float* to = t.c + r * t.c_step + col + 16 * v;
        __m512 before = t.first ? _mm512_setzero_ps() : _mm512_loadu_ps(to);
        _mm512_storeu_ps(to, _mm512_add_ps(before, _mm512_add_ps(even[r][v], odd[r][v])));
      }
  }
};

constexpr Cell attention_table[] = {
    {"attention", {DType::f32, DType::bf16}, attention<Bf16Pages>, attention_shared_bytes<Bf16Pages>},
    {"attention", {DType::f32, DType::f32}, attention<F32Pages>, attention_shared_bytes<F32Pages>},
};

}  // namespace

std::span<const Cell> avx512::attention_cells() { return attention_table; }

}  // namespace ridgeline
