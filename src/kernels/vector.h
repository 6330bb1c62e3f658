// Sixteen fp32 lanes as one type: one AVX-512 register or two AVX2 ones. What is written over it exists once, and computes the
// bits of program/scalar.h and base/functions.h. For files of one instruction set only: everything is local to the file that
// includes it, so that no code of one set can be linked into another.
#pragma once
#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "base/functions.h"

namespace ridgeline {
namespace {

#ifdef __AVX512F__

struct F32x16 {
  __m512 v;
  F32x16() = default;
  F32x16(__m512 x) : v(x) {}
  explicit F32x16(float x) : v(_mm512_set1_ps(x)) {}
};
inline F32x16 load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline void store(float* p, F32x16 a) { _mm512_storeu_ps(p, a.v); }
inline F32x16 operator+(F32x16 a, F32x16 b) { return {_mm512_add_ps(a.v, b.v)}; }
inline F32x16 operator-(F32x16 a, F32x16 b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline F32x16 operator*(F32x16 a, F32x16 b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline F32x16 operator/(F32x16 a, F32x16 b) { return {_mm512_div_ps(a.v, b.v)}; }
inline F32x16 operator-(F32x16 a) { return {_mm512_xor_ps(a.v, _mm512_set1_ps(-0.0f))}; }
inline F32x16 max(F32x16 a, F32x16 b) { return {_mm512_max_ps(a.v, b.v)}; }  // b where unordered
inline F32x16 min(F32x16 a, F32x16 b) { return {_mm512_min_ps(a.v, b.v)}; }  // b where unordered
inline F32x16 abs(F32x16 a) { return {_mm512_abs_ps(a.v)}; }
inline F32x16 rint(F32x16 a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline F32x16 mul_add(F32x16 a, F32x16 b, F32x16 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }  // a b + c
inline F32x16 mul_sub(F32x16 a, F32x16 b, F32x16 c) { return {_mm512_fmsub_ps(a.v, b.v, c.v)}; }  // a b - c

// a * 2^n by adding n, whole numbers, to the exponent; nothing where n is a NaN.
inline F32x16 times_power(F32x16 a, F32x16 n) {
  __m512i exponent = _mm512_slli_epi32(_mm512_cvtps_epi32(n.v), 23);
  return {_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a.v), exponent))};
}
// a, but +0 in the lanes where x < limit.
inline F32x16 zero_below(F32x16 a, F32x16 x, float limit) {
  return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x.v, _mm512_set1_ps(limit), _CMP_NLT_UQ), a.v)};
}

// Some of the sixteen lanes.
struct Some {
  __mmask16 m;
};
inline Some first_lanes(int64_t n) { return {static_cast<__mmask16>(n >= 16 ? 0xffff : n <= 0 ? 0 : (1 << n) - 1)}; }
inline F32x16 load_some(const float* p, Some s) { return {_mm512_maskz_loadu_ps(s.m, p)}; }  // +0 elsewhere
inline void store_some(float* p, F32x16 a, Some s) { _mm512_mask_storeu_ps(p, s.m, a.v); }
inline F32x16 select(Some s, F32x16 a, F32x16 b) {
  return {_mm512_mask_blend_ps(s.m, b.v, a.v)};
}  // a in s, b elsewhere
inline Some without(Some a, Some b) { return {static_cast<__mmask16>(a.m & ~b.m)}; }

// Sixteen bf16, rounded to nearest even; a NaN stays one (f32_to_bf16).
inline __m256i to_bf16(F32x16 a) {
  __m512i u = _mm512_castps_si512(a.v), odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
  __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7fff)), odd);
  __mmask16 nan = _mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q);
  rounded = _mm512_mask_or_epi32(rounded, nan, u, _mm512_set1_epi32(0x400000));
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
}
inline F32x16 from_bf16(__m256i h) { return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16))}; }
inline F32x16 from_f16(__m256i h) { return {_mm512_cvtph_ps(h)}; }
// Sixteen int8: rounded, saturated; NaN and what no int32 holds become -128 (Quantize::to_int8).
inline __m128i to_int8(F32x16 a) { return _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(a.v)); }
inline F32x16 from_int8(__m128i b) { return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(b))}; }

// Lanes i and i + 8.
inline __m256 low_half(F32x16 a) { return _mm512_castps512_ps256(a.v); }
inline __m256 high_half(F32x16 a) { return _mm512_extractf32x8_ps(a.v, 1); }

#else  // AVX2

struct F32x16 {
  __m256 v[2];
  F32x16() = default;
  F32x16(__m256 low, __m256 high) : v{low, high} {}
  explicit F32x16(float x) : v{_mm256_set1_ps(x), _mm256_set1_ps(x)} {}
};
inline F32x16 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
inline void store(float* p, F32x16 a) { _mm256_storeu_ps(p, a.v[0]), _mm256_storeu_ps(p + 8, a.v[1]); }
inline F32x16 operator+(F32x16 a, F32x16 b) { return {_mm256_add_ps(a.v[0], b.v[0]), _mm256_add_ps(a.v[1], b.v[1])}; }
inline F32x16 operator-(F32x16 a, F32x16 b) { return {_mm256_sub_ps(a.v[0], b.v[0]), _mm256_sub_ps(a.v[1], b.v[1])}; }
inline F32x16 operator*(F32x16 a, F32x16 b) { return {_mm256_mul_ps(a.v[0], b.v[0]), _mm256_mul_ps(a.v[1], b.v[1])}; }
inline F32x16 operator/(F32x16 a, F32x16 b) { return {_mm256_div_ps(a.v[0], b.v[0]), _mm256_div_ps(a.v[1], b.v[1])}; }
inline F32x16 operator-(F32x16 a) {
  __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_xor_ps(a.v[0], sign), _mm256_xor_ps(a.v[1], sign)};
}
inline F32x16 max(F32x16 a, F32x16 b) { return {_mm256_max_ps(a.v[0], b.v[0]), _mm256_max_ps(a.v[1], b.v[1])}; }
inline F32x16 min(F32x16 a, F32x16 b) { return {_mm256_min_ps(a.v[0], b.v[0]), _mm256_min_ps(a.v[1], b.v[1])}; }
inline F32x16 abs(F32x16 a) {
  __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, a.v[0]), _mm256_andnot_ps(sign, a.v[1])};
}
inline F32x16 rint(F32x16 a) {
  constexpr int nearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  return {_mm256_round_ps(a.v[0], nearest), _mm256_round_ps(a.v[1], nearest)};
}
inline F32x16 mul_add(F32x16 a, F32x16 b, F32x16 c) {
  return {_mm256_fmadd_ps(a.v[0], b.v[0], c.v[0]), _mm256_fmadd_ps(a.v[1], b.v[1], c.v[1])};
}
inline F32x16 mul_sub(F32x16 a, F32x16 b, F32x16 c) {
  return {_mm256_fmsub_ps(a.v[0], b.v[0], c.v[0]), _mm256_fmsub_ps(a.v[1], b.v[1], c.v[1])};
}

inline __m256 times_power(__m256 a, __m256 n) {
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23)));
}
inline F32x16 times_power(F32x16 a, F32x16 n) { return {times_power(a.v[0], n.v[0]), times_power(a.v[1], n.v[1])}; }
inline F32x16 zero_below(F32x16 a, F32x16 x, float limit) {
  __m256 l = _mm256_set1_ps(limit);
  return {_mm256_and_ps(_mm256_cmp_ps(x.v[0], l, _CMP_NLT_UQ), a.v[0]),
          _mm256_and_ps(_mm256_cmp_ps(x.v[1], l, _CMP_NLT_UQ), a.v[1])};
}

struct Some {
  __m256i m[2];
};
inline Some first_lanes(int64_t n) {
  int count = static_cast<int>(n > 16 ? 16 : n);
  __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return {{_mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane), _mm256_cmpgt_epi32(_mm256_set1_epi32(count - 8), lane)}};
}
inline F32x16 load_some(const float* p, Some s) {
  return {_mm256_maskload_ps(p, s.m[0]), _mm256_maskload_ps(p + 8, s.m[1])};
}
inline void store_some(float* p, F32x16 a, Some s) {
  _mm256_maskstore_ps(p, s.m[0], a.v[0]), _mm256_maskstore_ps(p + 8, s.m[1], a.v[1]);
}
inline F32x16 select(Some s, F32x16 a, F32x16 b) {
  return {_mm256_blendv_ps(b.v[0], a.v[0], _mm256_castsi256_ps(s.m[0])),
          _mm256_blendv_ps(b.v[1], a.v[1], _mm256_castsi256_ps(s.m[1]))};
}
inline Some without(Some a, Some b) {
  return {{_mm256_andnot_si256(b.m[0], a.m[0]), _mm256_andnot_si256(b.m[1], a.m[1])}};
}

inline __m256i rounded_to_bf16(__m256 a) {  // in the low half of each lane
  __m256i u = _mm256_castps_si256(a), odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
  __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(u, _mm256_set1_epi32(0x7fff)), odd);
  __m256i quiet = _mm256_or_si256(u, _mm256_set1_epi32(0x400000));
  rounded = _mm256_blendv_epi8(rounded, quiet, _mm256_castps_si256(_mm256_cmp_ps(a, a, _CMP_UNORD_Q)));
  return _mm256_srli_epi32(rounded, 16);
}
inline __m256i to_bf16(F32x16 a) {  // the packing works in 128-bit halves: put them in order
  return _mm256_permute4x64_epi64(_mm256_packus_epi32(rounded_to_bf16(a.v[0]), rounded_to_bf16(a.v[1])), 0xd8);
}
inline __m256 widened(__m128i h) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16)); }
inline F32x16 from_bf16(__m256i h) {
  return {widened(_mm256_castsi256_si128(h)), widened(_mm256_extracti128_si256(h, 1))};
}
inline F32x16 from_f16(__m256i h) {
  return {_mm256_cvtph_ps(_mm256_castsi256_si128(h)), _mm256_cvtph_ps(_mm256_extracti128_si256(h, 1))};
}
inline __m128i to_int8(F32x16 a) {
  __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(a.v[0]), _mm256_cvtps_epi32(a.v[1]));
  words = _mm256_permute4x64_epi64(words, 0xd8);
  return _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}
inline F32x16 from_int8(__m128i b) {
  return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(b)), _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(b, 8)))};
}

inline __m256 low_half(F32x16 a) { return a.v[0]; }
inline __m256 high_half(F32x16 a) { return a.v[1]; }

#endif

inline void store_bf16(uint16_t* p, F32x16 a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), to_bf16(a)); }
inline __m256i load_halves(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

// The first n (any number) lanes at p; +0 in the others.
inline F32x16 load_first(const float* p, int64_t n) { return n >= 16 ? load(p) : load_some(p, first_lanes(n)); }
inline void store_first(float* p, F32x16 a, int64_t n) { n >= 16 ? store(p, a) : store_some(p, a, first_lanes(n)); }
inline void store_bf16_first(uint16_t* p, F32x16 a, int64_t n) {
  if (n >= 16) return store_bf16(p, a);
  uint16_t part[16];
  store_bf16(part, a);
  std::memcpy(p, part, static_cast<size_t>(n) * 2);
}

// The sixteen lanes brought together by +8, +4, +2, +1 (Lanes of program/scalar.h).
template <class Join8, class Join4>
float fold(F32x16 a, Join8 join8, Join4 join4) {
  __m256 eight = join8(low_half(a), high_half(a));
  __m128 four = join4(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  __m128 two = join4(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(join4(two, _mm_movehdup_ps(two)));
}
inline float fold_add(F32x16 a) {
  return fold(
      a, [](__m256 x, __m256 y) { return _mm256_add_ps(x, y); }, [](__m128 x, __m128 y) { return _mm_add_ps(x, y); });
}
inline float fold_max(F32x16 a) {
  return fold(
      a, [](__m256 x, __m256 y) { return _mm256_max_ps(x, y); }, [](__m128 x, __m128 y) { return _mm_max_ps(x, y); });
}

inline F32x16 exp2_polynomial(F32x16 f) {
  F32x16 p = F32x16(exp2_coefficients[6]);
  for (int i = 5; i >= 0; --i) p = mul_add(p, f, F32x16(exp2_coefficients[i]));
  return p;
}
inline F32x16 exp2(F32x16 x) {  // exp2_f32
  F32x16 y = min(F32x16(exp2_most), max(F32x16(exp2_least), x)), n = rint(y);
  return zero_below(times_power(exp2_polynomial(y - n), n), x, exp2_least);
}
inline F32x16 exp(F32x16 x) {  // exp_f32
  F32x16 y = min(F32x16(exp_most), max(F32x16(exp_least), x)), n = rint(y * F32x16(log2e_high));
  F32x16 f = mul_add(y, F32x16(log2e_low), mul_sub(y, F32x16(log2e_high), n));
  return zero_below(times_power(exp2_polynomial(f), n), x, exp_least);
}

}  // namespace
}  // namespace ridgeline
