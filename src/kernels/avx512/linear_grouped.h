// q8 activations by grouped weights, with vpdpbusd: unsigned weights, unpacked from their planes, by signed activations.
#pragma once
#include "kernels/avx512/cells.h"
#include "kernels/linear_grouped.h"

namespace ridgeline::avx512 {
namespace {

template <DType T>
struct Grouped : GroupedType<T> {
  using Type = GroupedType<T>;
  using Packed = PackedPart<Type::groups, 8>;
  static constexpr DType input = DType::q8, weight = T;
  // Six rows by two halves of a panel: 12 integer sums, 12 fp32 sums, two lines of weights, and room to spare.
  static constexpr int rows = 6, few = 4, words = Type::parts * static_cast<int>(sizeof(Packed) / 4);
  static constexpr int64_t chunk = 18432 / Type::record, expanded = 0;  // it and the next one fit into an L1 of 48 KiB
  static constexpr int streams(int row_count) { return row_count <= 2 ? 4 : 2; }

  static void pack(const Tensor& x, int64_t r, int64_t g, uint32_t* to) {
    const Q8Block* from = x.row_as<Q8Block>(r) + g * Type::parts;
    auto* packed = reinterpret_cast<Packed*>(to);
    for (int p = 0; p < Type::parts; ++p) {
      packed[p].set(from[p], Type::zero);
      std::memcpy(packed[p].quads, from[p].a, sizeof from[p].a);
    }
  }
  static void expand(const std::byte*, std::byte*) {}

  // A tile's codes of one plane, `left` bits from the right of their bytes; bits of other tiles around them.
  template <int bits, int left>
  static __m512i tile(const std::byte* plane, int j, int h) {
    __m512i line = _mm512_loadu_si512(plane + Type::line(bits, j, h));
    int right = Type::bit(bits, j, h) - left;
    return right > 0   ? _mm512_srli_epi16(line, static_cast<unsigned>(right))
           : right < 0 ? _mm512_slli_epi16(line, static_cast<unsigned>(-right))
                       : line;
  }
  // The codes of quad j and half h: 16 columns by 4 k.
  static __m512i codes(const std::byte* part, int j, int h) {
    __m512i low = tile<Type::low, 0>(part, j, h);
    if constexpr (Type::low < 8) low = _mm512_and_si512(low, _mm512_set1_epi8((1 << Type::low) - 1));
    if constexpr (Type::high > 0) {
      __m512i high = tile<Type::high, Type::low>(part + Type::lies.low_plane(), j, h);
      __m512i mask = _mm512_set1_epi8(((1 << Type::high) - 1) << Type::low);
      low = _mm512_ternarylogic_epi32(low, high, mask, 0xf8);  // low | high & mask
    }
    return low;
  }

  static __m512 halves(const std::byte* from, int h) { return _mm512_cvtph_ps(load_halves(from + 32 * h)); }
  static __m128i bytes(const std::byte* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }
  // The scales of 16 columns in group g of a part, and how much is to be added of the minimums of `record`.
  static __m512 scale(const std::byte* record, const std::byte* part, int g, int h) {
    __m512 d = halves(record, h);
    if constexpr (Type::scaled) {
      __m128i scales = bytes(part + Type::lies.codes() + 32 * g + 16 * h);
      if constexpr (Type::groups == 2 && Type::minimums) scales = _mm_and_si128(scales, _mm_set1_epi8(15));
      d = _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(scales)));
    }
    return d;
  }
  static __m512 add_minimum(const std::byte* record, const std::byte* part, int g, int h, __m512 b, __m512 sum) {
    __m512 m = halves(record + 64, h);
    if constexpr (!Type::scaled) return _mm512_fmadd_ps(m, b, sum);
    const std::byte* from = part + Type::lies.codes() + 16 * h;
    __m128i minimums = bytes(from + 32);
    if constexpr (Type::groups == 2)
      minimums = _mm_and_si128(_mm_srli_epi16(bytes(from + 32 * g), 4), _mm_set1_epi8(15));
    return _mm512_fnmadd_ps(_mm512_mul_ps(m, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(minimums))), b, sum);
  }

  // a: that of the first row; those of the others lie Type::parts apart.
  template <int R>
  static void add_part(const std::byte* record, const std::byte* part, const Packed* a, __m512 (&sum)[R][2]) {
    RIDGELINE_UNROLL
    for (int g = 0; g < Type::groups; ++g) {
      __m512i whole[R][2];
      RIDGELINE_UNROLL
      for (int r = 0; r < R; ++r)
        whole[r][0] = whole[r][1] =
            Type::zero ? _mm512_set1_epi32(a[r * Type::parts].start[g]) : _mm512_setzero_si512();
      RIDGELINE_UNROLL
      for (int i = 0; i < Type::quads; ++i) {
        int j = g * Type::quads + i;
        __m512i first = codes(part, j, 0), second = codes(part, j, 1);
        RIDGELINE_UNROLL
        for (int r = 0; r < R; ++r) {
          __m512i quad = _mm512_set1_epi32(static_cast<int>(a[r * Type::parts].quads[j]));
          whole[r][0] = _mm512_dpbusd_epi32(whole[r][0], first, quad);
          whole[r][1] = _mm512_dpbusd_epi32(whole[r][1], second, quad);
        }
      }
      RIDGELINE_UNROLL
      for (int h = 0; h < 2; ++h) {
        __m512 d = scale(record, part, g, h);
        RIDGELINE_UNROLL
        for (int r = 0; r < R; ++r) {
          const Packed& p = a[r * Type::parts];
          __m512 product = _mm512_mul_ps(d, _mm512_set1_ps(p.scale));
          sum[r][h] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole[r][h]), product, sum[r][h]);
          if constexpr (Type::minimums)
            sum[r][h] = add_minimum(record, part, g, h, _mm512_set1_ps(p.scaled_sum[g]), sum[r][h]);
        }
      }
    }
  }

  template <int R, int P>
  static void stream(const std::byte* const* panels, const uint32_t* packed, float* c, int64_t records) {
    // All streams together keep about 8 KiB on their way: what covers the latency of memory at its full rate.
    constexpr int64_t step = Type::parts > 1 ? Type::part : Type::record, ahead = ceil_div(8192 / P, step) * step;
    __m512 sum[P][R][2];
    RIDGELINE_UNROLL
    for (int i = 0; i < P * R * 2; ++i) sum[i / (2 * R)][i / 2 % R][i % 2] = _mm512_setzero_ps();
    auto* a = reinterpret_cast<const Packed*>(packed);
    for (int64_t g = 0; g < records; ++g, a += R * Type::parts)
      for (int i = 0; i < Type::parts; ++i) {
        RIDGELINE_UNROLL
        for (int p = 0; p < P; ++p) {
          const std::byte *record = panels[p] + g * Type::record, *part = record + Type::header + i * Type::part;
          prefetch_bytes<step>(part - Type::header + ahead);
          add_part<R>(record, part, a + i, sum[p]);
        }
      }
    RIDGELINE_UNROLL
    for (int i = 0; i < P * R * 2; ++i) _mm512_store_ps(c + i * 16, sum[i / (2 * R)][i / 2 % R][i % 2]);
  }

  template <int R>
  static void block(const std::byte* weights, const uint32_t* packed, float* c, int64_t records, Ahead ahead) {
    __m512 sum[R][2];
    RIDGELINE_UNROLL
    for (int i = 0; i < R * 2; ++i) sum[i / 2][i % 2] = _mm512_load_ps(c + i * 16);
    auto* a = reinterpret_cast<const Packed*>(packed);
    for (int64_t g = 0; g < records; ++g, a += R * Type::parts, weights += Type::record)
      for (int i = 0; i < Type::parts; ++i) {
        ahead.fetch<R * sizeof(Packed)>();
        add_part<R>(weights, weights + Type::header + i * Type::part, a + i, sum);
      }
    RIDGELINE_UNROLL
    for (int i = 0; i < R * 2; ++i) _mm512_store_ps(c + i * 16, sum[i / 2][i % 2]);
  }
};

}  // namespace
}  // namespace ridgeline::avx512
