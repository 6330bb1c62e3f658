// bf16 activations by bf16 weights, with vdpbf16ps. The instruction adds two products to a sum, that of the high halves first,
// each by a fused multiply-add: dp(c, a, b) = fma(a.low, b.low, fma(a.high, b.high, c)), denormals flushed to zero. So with
// k in the high half and k + 2 in the low half one accumulator follows the chain over the even k, another that over the odd.
// The set's self-test (cells.cpp) asks the processor whether it holds.
#include "kernels/avx512/cells.h"
#include "kernels/linear_walk.h"

namespace ridgeline::avx512 {
namespace {

inline __m512 dot_pairs(__m512 sum, __m512i a, __m512i b) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b); }
inline __m512 dot_pairs(__m512 sum, uint32_t a, __m512i b) {
  return dot_pairs(sum, _mm512_set1_epi32(static_cast<int>(a)), b);
}

// From lines of the pairs (k, k + 1) and (k + 2, k + 3): k above k + 2, and k + 1 above k + 3.
inline __m512i even_k(__m512i first, __m512i second) {
  return _mm512_mask_mov_epi16(_mm512_slli_epi32(first, 16), 0x55555555, second);
}
inline __m512i odd_k(__m512i first, __m512i second) {
  return _mm512_mask_mov_epi16(first, 0x55555555, _mm512_srli_epi32(second, 16));
}

struct Bf16 {
  static constexpr DType input = DType::bf16, weight = DType::bf16;
  // Six rows by two halves of a panel by two chains are 24 accumulators: enough to hide the instruction's latency.
  static constexpr int rows = 6, few = 4, words = 16;
  static constexpr int64_t record = record_bytes(weight), expanded = record, chunk = 16384 / record;
  static constexpr int streams(int row_count) { return row_count <= 2 ? 4 : 2; }

  // [even, odd][8 quads of k]. Beyond the last k stand -0: with a weight of +0 they leave any sum as it is, -0 too.
  static void pack(const Tensor& x, int64_t r, int64_t g, uint32_t* to) {
    int64_t k = g * part_depth, n = std::min<int64_t>(part_depth, x.cols - k);
    auto here = static_cast<__mmask32>(n == part_depth ? ~0u : (1u << n) - 1);
    __m512i row =
        _mm512_mask_loadu_epi16(_mm512_set1_epi16(static_cast<short>(0x8000)), here, x.row_as<uint16_t>(r) + k);
    alignas(64) static constexpr uint16_t order[32] = {2, 0, 6, 4, 10, 8, 14, 12, 18, 16, 22, 20, 26, 24, 30, 28,
                                                       3, 1, 7, 5, 11, 9, 15, 13, 19, 17, 23, 21, 27, 25, 31, 29};
    _mm512_storeu_si512(to, _mm512_permutexvar_epi16(_mm512_load_si512(order), row));
  }
  // [even, odd][8 quads of k][32 columns]
  static void expand(const std::byte* from, std::byte* to) {
    for (int h = 0; h < 2; ++h)
      for (int j = 0; j < 8; ++j) {
        const std::byte* quad = from + h * 1024 + j * 128;
        __m512i first = _mm512_loadu_si512(quad), second = _mm512_loadu_si512(quad + 64);
        _mm512_store_si512(to + j * 128 + h * 64, even_k(first, second));
        _mm512_store_si512(to + 1024 + j * 128 + h * 64, odd_k(first, second));
      }
  }

  template <int R, int P>
  static void stream(const std::byte* const* panels, const uint32_t* a, float* c, int64_t records) {
    __m512 sum[P][2][R];
    RIDGELINE_UNROLL
    for (int i = 0; i < P * R * 2; ++i) sum[i / (2 * R)][i / R % 2][i % R] = _mm512_setzero_ps();
    for (int64_t g = 0; g < records; ++g, a += R * words) {
      RIDGELINE_UNROLL
      for (int p = 0; p < P; ++p) {
        const std::byte* from = panels[p] + g * record;
        prefetch_bytes<record>(from + 8192 / P);  // 8 KiB on their way, as in the grouped kernels
        RIDGELINE_UNROLL
        for (int h = 0; h < 2; ++h) stream_half<R>(from + h * 1024, a, sum[p][h]);
      }
    }
    RIDGELINE_UNROLL
    for (int p = 0; p < P; ++p) {
      RIDGELINE_UNROLL
      for (int i = 0; i < 2 * R; ++i)
        _mm512_store_ps(c + (p * R + i / 2) * panel_columns + i % 2 * 16, sum[p][i % 2][i / 2]);
    }
  }
  template <int R>
  static void stream_half(const std::byte* from, const uint32_t* a, __m512 (&sum)[R]) {
    __m512 even[R], odd[R];
    RIDGELINE_UNROLL
    for (int r = 0; r < R; ++r) even[r] = odd[r] = _mm512_setzero_ps();
    RIDGELINE_UNROLL
    for (int j = 0; j < 8; ++j) {
      __m512i first = _mm512_loadu_si512(from + j * 128), second = _mm512_loadu_si512(from + j * 128 + 64);
      __m512i w_even = even_k(first, second), w_odd = odd_k(first, second);
      RIDGELINE_UNROLL
      for (int r = 0; r < R; ++r) {
        even[r] = dot_pairs(even[r], a[r * words + j], w_even);
        odd[r] = dot_pairs(odd[r], a[r * words + 8 + j], w_odd);
      }
    }
    RIDGELINE_UNROLL
    for (int r = 0; r < R; ++r) sum[r] = _mm512_add_ps(sum[r], _mm512_add_ps(even[r], odd[r]));
  }

  template <int R>
  static void block(const std::byte* weights, const uint32_t* a, float* c, int64_t records, Ahead ahead) {
    for (int64_t g = 0; g < records; ++g, a += R * words, weights += expanded) {
      ahead.fetch<R * words * 4>();
      __m512 even[R][2], odd[R][2];
      RIDGELINE_UNROLL
      for (int i = 0; i < 2 * R; ++i) even[i / 2][i % 2] = odd[i / 2][i % 2] = _mm512_setzero_ps();
      RIDGELINE_UNROLL
      for (int j = 0; j < 8; ++j) {
        const std::byte* quad = weights + j * 128;
        __m512i even0 = _mm512_load_si512(quad), even1 = _mm512_load_si512(quad + 64);
        __m512i odd0 = _mm512_load_si512(quad + 1024), odd1 = _mm512_load_si512(quad + 1088);
        RIDGELINE_UNROLL
        for (int r = 0; r < R; ++r) {
          uint32_t a_even = a[r * words + j], a_odd = a[r * words + 8 + j];
          even[r][0] = dot_pairs(even[r][0], a_even, even0), even[r][1] = dot_pairs(even[r][1], a_even, even1);
          odd[r][0] = dot_pairs(odd[r][0], a_odd, odd0), odd[r][1] = dot_pairs(odd[r][1], a_odd, odd1);
        }
      }
      RIDGELINE_UNROLL
      for (int i = 0; i < 2 * R; ++i) {
        __m512 record_sum = _mm512_add_ps(even[i / 2][i % 2], odd[i / 2][i % 2]);
        _mm512_store_ps(c + i * 16, _mm512_add_ps(_mm512_load_ps(c + i * 16), record_sum));
      }
    }
  }
};

constexpr LinearCells<Bf16> table;

}  // namespace

std::span<const Cell> linear_bf16_cells() { return table.cells; }

}  // namespace ridgeline::avx512
