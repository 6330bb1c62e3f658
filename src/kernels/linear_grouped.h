// What the engines for grouped weights have in common: how activations are packed, and where things lie in a part of a record
// (tensor/panels.h). For files of one instruction set only.
#pragma once
#include "kernels/linear_walk.h"

namespace ridgeline {
namespace {

// What an engine needs to know of a grouped type.
template <DType T>
struct GroupedType {
  static constexpr GroupedPanel lies = grouped_panel(T);
  static constexpr int low = lies.low, high = lies.high, parts = lies.parts;
  static constexpr int zero = grouping_of(T).zero, groups = 32 / grouping_of(T).group;  // of a part
  static constexpr bool minimums = lies.minimums, scaled = parts > 1;  // scaled: d times a scale a group
  static constexpr int64_t record = lies.record(), header = lies.header(), part = lies.part();
  static constexpr int quads = 8 / groups;  // of a group

  // The line of a plane of `bits` that holds the tile of quad j and half h, and where in its bytes.
  static constexpr int64_t line(int bits, int j, int h) { return (2 * j + h) * bits / 8 * 64; }
  static constexpr int bit(int bits, int j, int h) { return (2 * j + h) * bits % 8; }
};

// The sums of the first and the last 16 of 32 int8.
struct HalfSums {
  int32_t half[2];
};
inline HalfSums half_sums(__m256i a) {
  __m256i eight = _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), a), _mm256_set1_epi16(1));
  __m256i four = _mm256_add_epi32(eight, _mm256_shuffle_epi32(eight, 0x4e));
  __m256i two = _mm256_add_epi32(four, _mm256_shuffle_epi32(four, 0xb1));
  return {{_mm256_cvtsi256_si32(two), _mm256_extract_epi32(two, 4)}};
}

// One row's 32 k, packed, where `dwords` hold the codes: per group fl(s * sum(a)), and where the sum of (q - zero) * a starts,
// -zero * sum(a).
template <int groups, int dwords>
struct PackedPart {
  float scale, scaled_sum[groups];
  uint32_t quads[dwords];
  int32_t start[groups];

  void set(const Q8Block& from, int zero) {
    HalfSums sums = half_sums(load_halves(from.a));
    if (groups == 1) sums.half[0] += sums.half[1];
    scale = from.scale;
    for (int g = 0; g < groups; ++g) {
      scaled_sum[g] = from.scale * static_cast<float>(sums.half[g]);
      start[g] = -zero * sums.half[g];
    }
  }
};

}  // namespace
}  // namespace ridgeline
