// q8 activations by grouped weights with AVX2: byte products summed in int16 while they fit, q8_0's weights widened to int16.
#pragma once
#include "kernels/avx2/cells.h"
#include "kernels/linear_grouped.h"

namespace ridgeline::avx2 {
namespace {

// Keeps a sum in its register: GCC 12 otherwise reorders integer additions until they spill (1.4 to 1.9 times slower).
inline void keep(__m256i& sum) { asm("" : "+x"(sum)); }

template <DType T>
struct Grouped : GroupedType<T> {
  using Type = GroupedType<T>;
  static constexpr DType input = DType::q8, weight = T;
  static constexpr bool wide = Type::low == 8;
  // quads: codes of up to six bits meet bytes, k to k + 3 in a dword; q8_0 weights meet int16, first (k, k + 2) of each quad,
  // then (k + 1, k + 3).
  using Packed = PackedPart<Type::groups, wide ? 16 : 8>;
  // Of how many quads the products, two of them to a sum, fit int16: at most 15 * 128 each eight times over, 31 four, 63 two.
  static constexpr int fit = grouping_of(T).bits <= 4 ? 8 : grouping_of(T).bits == 5 ? 4 : 2;
  static constexpr int run = wide ? 8 : fit < Type::quads ? fit : Type::quads;
  // Four rows by two vectors of 8 columns: 8 integer sums, and the weights as two to four vectors.
  static constexpr int rows = 4, few = 4, words = Type::parts * static_cast<int>(sizeof(Packed) / 4);
  static constexpr int64_t chunk = 16384 / Type::record, expanded = 0;  // half of an L1 of 32 KiB
  static constexpr int streams(int row_count) { return row_count <= 2 ? 4 : 2; }

  static void pack(const Tensor& x, int64_t r, int64_t g, uint32_t* to) {
    const Q8Block* from = x.row_as<Q8Block>(r) + g * Type::parts;
    auto* packed = reinterpret_cast<Packed*>(to);
    for (int p = 0; p < Type::parts; ++p) {
      packed[p].set(from[p], Type::zero);
      __m256i a = load_halves(from[p].a);
      auto* quads = reinterpret_cast<__m256i*>(packed[p].quads);
      if constexpr (wide) {
        _mm256_storeu_si256(quads, _mm256_srai_epi16(_mm256_slli_epi16(a, 8), 8));
        _mm256_storeu_si256(quads + 1, _mm256_srai_epi16(a, 8));
      } else {
        _mm256_storeu_si256(quads, a);
      }
    }
  }
  static void expand(const std::byte*, std::byte*) {}

  // A tile's codes of one plane, `left` bits from the right of their bytes, alone; of its 16 columns the 8 from 8 s on.
  template <int bits, int left>
  static __m256i tile(const std::byte* plane, int j, int h, int s) {
    __m256i line = load_halves(plane + Type::line(bits, j, h) + 32 * s);
    int right = Type::bit(bits, j, h) - left;
    if (right > 0) line = _mm256_srli_epi16(line, right);
    if (right < 0) line = _mm256_slli_epi16(line, -right);
    return bits == 8 ? line : _mm256_and_si256(line, _mm256_set1_epi8(static_cast<char>(((1 << bits) - 1) << left)));
  }
  static __m256i codes(const std::byte* part, int j, int h, int s) {
    __m256i low = tile<Type::low, 0>(part, j, h, s);
    if constexpr (Type::high > 0)
      low = _mm256_or_si256(low, tile<Type::high, Type::low>(part + Type::lies.low_plane(), j, h, s));
    return low;
  }
  static __m256i quad(const Packed& a, int j) { return _mm256_set1_epi32(static_cast<int>(a.quads[j])); }

  // Two vectors of 8 columns at a time, 8 s on and 16 + 8 s on: their bytes are the same but for q8_0.
  template <int R>
  static void whole_sums(const std::byte* part, int g, int s, const Packed* a, __m256i (&whole)[R][2]) {
    RIDGELINE_UNROLL
    for (int i = 0; i < 2 * R; ++i)
      whole[i / 2][i % 2] = Type::zero ? _mm256_set1_epi32(a[i / 2 * Type::parts].start[g]) : _mm256_setzero_si256();
    RIDGELINE_UNROLL
    for (int j = g * Type::quads; j < (g + 1) * Type::quads; j += run) {
      if constexpr (wide)
        add_wide<R>(part, s, a, whole);
      else
        add_run<R>(part, j, s, a, whole);
    }
  }
  template <int R>
  static void add_wide(const std::byte* part, int s, const Packed* a, __m256i (&whole)[R][2]) {
    RIDGELINE_UNROLL
    for (int j = 0; j < 8; ++j) {
      RIDGELINE_UNROLL
      for (int v = 0; v < 2; ++v) {
        __m256i line = codes(part, j, v, s);
        __m256i even = _mm256_and_si256(line, _mm256_set1_epi16(255)), odd = _mm256_srli_epi16(line, 8);
        RIDGELINE_UNROLL
        for (int r = 0; r < R; ++r) {
          __m256i products =
              _mm256_add_epi32(_mm256_madd_epi16(even, quad(a[r], j)), _mm256_madd_epi16(odd, quad(a[r], 8 + j)));
          whole[r][v] = _mm256_add_epi32(whole[r][v], products);
          keep(whole[r][v]);
        }
      }
    }
  }
  template <int R>
  static void add_run(const std::byte* part, int first, int s, const Packed* a, __m256i (&whole)[R][2]) {
    __m256i sum[R][2];
    RIDGELINE_UNROLL
    for (int j = first; j < first + run; ++j) {
      __m256i line[2] = {codes(part, j, 0, s), codes(part, j, 1, s)};
      RIDGELINE_UNROLL
      for (int i = 0; i < 2 * R; ++i) {
        __m256i &to = sum[i / 2][i % 2], products = _mm256_maddubs_epi16(line[i % 2], quad(a[i / 2 * Type::parts], j));
        to = j == first ? products : _mm256_add_epi16(to, products);
        keep(to);
      }
    }
    RIDGELINE_UNROLL
    for (int i = 0; i < 2 * R; ++i) {
      __m256i& to = whole[i / 2][i % 2];
      to = _mm256_add_epi32(to, _mm256_madd_epi16(sum[i / 2][i % 2], _mm256_set1_epi16(1)));
    }
  }

  static __m256 halves(const std::byte* from, int n) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 2 * n)));
  }
  static __m256i bytes(const std::byte* from) {
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
  }
  // The scales of 8 columns from n on in group g of a part.
  static __m256 scale(const std::byte* record, const std::byte* part, int g, int n) {
    __m256 d = halves(record, n);
    if constexpr (Type::scaled) {
      __m256i scales = bytes(part + Type::lies.codes() + 32 * g + n);
      if constexpr (Type::groups == 2 && Type::minimums) scales = _mm256_and_si256(scales, _mm256_set1_epi32(15));
      d = _mm256_mul_ps(d, _mm256_cvtepi32_ps(scales));
    }
    return d;
  }
  // Their minimums: what is added times b where they are as in the record, else what is subtracted.
  static __m256 minimum(const std::byte* record, const std::byte* part, int g, int n) {
    __m256 m = halves(record + 64, n);
    if constexpr (Type::scaled) {
      const std::byte* from = part + Type::lies.codes() + n;
      __m256i minimums = bytes(from + 32);
      if constexpr (Type::groups == 2)
        minimums = _mm256_and_si256(_mm256_srli_epi32(bytes(from + 32 * g), 4), _mm256_set1_epi32(15));
      m = _mm256_mul_ps(m, _mm256_cvtepi32_ps(minimums));
    }
    return m;
  }

  // c[R][32] += one part. a: that of the first row; those of the others lie Type::parts apart.
  template <int R>
  static void add_part(const std::byte* record, const std::byte* part, const Packed* a, float* c) {
    for (int s = 0; s < 2; ++s) {
      RIDGELINE_UNROLL
      for (int g = 0; g < Type::groups; ++g) {
        __m256i whole[R][2];
        whole_sums<R>(part, g, s, a, whole);
        RIDGELINE_UNROLL
        for (int v = 0; v < 2; ++v) {
          int n = 8 * s + 16 * v;
          __m256 d = scale(record, part, g, n), m;
          if constexpr (Type::minimums) m = minimum(record, part, g, n);
          RIDGELINE_UNROLL
          for (int r = 0; r < R; ++r) {
            float* to = c + r * panel_columns + n;
            const Packed& p = a[r * Type::parts];
            __m256 product = _mm256_mul_ps(d, _mm256_set1_ps(p.scale));
            __m256 sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole[r][v]), product, _mm256_loadu_ps(to));
            if constexpr (Type::minimums) {
              __m256 b = _mm256_set1_ps(p.scaled_sum[g]);
              sum = Type::scaled ? _mm256_fnmadd_ps(m, b, sum) : _mm256_fmadd_ps(m, b, sum);
            }
            _mm256_storeu_ps(to, sum);
          }
        }
      }
    }
  }

  template <int R, int P>
  static void stream(const std::byte* const* panels, const uint32_t* packed, float* c, int64_t records) {
    // 8 KiB on their way: the latency of memory at its full rate.
    constexpr int64_t step = Type::parts > 1 ? Type::part : Type::record, ahead = ceil_div(8192 / P, step) * step;
    std::memset(c, 0, sizeof(float) * P * R * panel_columns);
    auto* a = reinterpret_cast<const Packed*>(packed);
    for (int64_t g = 0; g < records; ++g, a += R * Type::parts)
      for (int i = 0; i < Type::parts; ++i)
        for (int p = 0; p < P; ++p) {
          const std::byte *record = panels[p] + g * Type::record, *part = record + Type::header + i * Type::part;
          prefetch_bytes<step>(part - Type::header + ahead);
          add_part<R>(record, part, a + i, c + p * R * panel_columns);
        }
  }
  template <int R>
  static void block(const std::byte* weights, const uint32_t* packed, float* c, int64_t records, Ahead ahead) {
    auto* a = reinterpret_cast<const Packed*>(packed);
    for (int64_t g = 0; g < records; ++g, a += R * Type::parts, weights += Type::record)
      for (int i = 0; i < Type::parts; ++i) {
        ahead.fetch<R * sizeof(Packed)>();
        add_part<R>(weights, weights + Type::header + i * Type::part, a + i, c);
      }
  }
};

}  // namespace
}  // namespace ridgeline::avx2
