// The transcendental functions of every arithmetic, in plain IEEE operations: no libm, so the same bits on every machine.
// The kernel sets evaluate the same formulas over vectors. Error bounds: docs/numerics.md.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

namespace ridgeline {

// Coefficients of a minimax polynomial for 2^f on [-1/2, 1/2], constant term exactly 1; relative error 2.6e-9.
inline constexpr float exp2_coefficients[7] = {0x1.0000000p+0f, 0x1.62e4320p-1f,  0x1.ebfbe20p-3f, 0x1.c6ae720p-5f,
                                               0x1.3b270e0p-7f, 0x1.5f72760p-10f, 0x1.470b480p-13f};
inline constexpr float exp2_least = -125.5f, exp2_most = 127.49f;  // outside: +0 below, clamped above
inline constexpr float exp_least = -86.9f, exp_most = 88.3f;
inline constexpr float log2e_high = 1.44269502162933349609375f, log2e_low = 1.925963033500011e-08f;

namespace detail {
inline float exp2_polynomial(float f) {
  float p = exp2_coefficients[6];
  for (int i = 5; i >= 0; --i) p = __builtin_fmaf(p, f, exp2_coefficients[i]);
  return p;
}
// min, then max as the vector instructions order them: the second operand where unordered, so a NaN passes through.
inline float clamped(float x, float least, float most) {
  float above = least > x ? least : x;
  return most < above ? most : above;
}
inline float times_power(float p, float n) {  // p * 2^n by adding to the exponent; n is whole. A NaN p stays a NaN
  int32_t k = n == n ? static_cast<int32_t>(n) : INT32_MIN;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(p) + (static_cast<uint32_t>(k) << 23));
}
}  // namespace detail

// 2^x, at most 1.01 ulp; +0 below -125.5, clamped at 127.49, never a denormal.
inline float exp2_f32(float x) {
  float y = detail::clamped(x, exp2_least, exp2_most), n = std::nearbyintf(y);
  float r = detail::times_power(detail::exp2_polynomial(y - n), n);
  return x < exp2_least ? 0.0f : r;
}

// e^x = 2^(x log2 e) with log2 e in two parts.
inline float exp_f32(float x) {
  float y = detail::clamped(x, exp_least, exp_most), t = y * log2e_high, n = std::nearbyintf(t);
  float f = __builtin_fmaf(y, log2e_low, __builtin_fmaf(y, log2e_high, 0.0f - n));
  float r = detail::times_power(detail::exp2_polynomial(f), n);
  return x < exp_least ? 0.0f : r;
}

// tanh u = u P(u^2) / Q(u^2) for |u| <= 9, where it is 1 in fp32; P and Q of degree 4, fitted for the least greatest relative
// error, 2e-8 before rounding. Ops and kernels evaluate it over their own scalars (ops/soft_cap.h).
inline constexpr float tanh_most = 9;
inline constexpr float tanh_above[5] = {1.0f, 0x1.120b1ep-3f, 0x1.ca2c84p-9f, 0x1.59c366p-16f, 0x1.cadcfcp-27f};
inline constexpr float tanh_below[5] = {1.0f, 0x1.de5ad8p-2f, 0x1.a7f7f2p-6f, 0x1.588622p-12f, 0x1.a18050p-21f};

// sin and cos of an angle in radians, |x| < 2^30, in double: Cody-Waite reduction and Taylor polynomials, error below 1e-15
// for angles a context can reach. Used for rotary positions only.
struct SinCos {
  double sin, cos;
};
SinCos sin_cos(double x);
// base^y for base > 0 in double, relative error below 1e-14: rotary frequencies.
double power(double base, double y);

// 1/k!, k = 0 to 13.
inline constexpr double exp_series[14] = {
    1.0,        1.0,         1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,
    1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0};
// e^x in double, relative error below 4e-16; +0 below -708, clamped at 709; a NaN passes through. No branch and no call, so
// that loops over it vectorize.
inline double exp_f64(double x) {
  constexpr double log2_e = 0x1.71547652b82fep+0,
                   rounder = 0x1.8p52;  // x + rounder - rounder: the nearest whole number
  constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;  // n * ln2_high is exact
  double y = x > -708 ? x : -708;
  y = y < 709 ? y : 709;
  double shifted = y * log2_e + rounder, n = shifted - rounder;
  double f = (y - n * ln2_high) - n * ln2_low;  // |f| <= ln 2 / 2: the first term left out is below 1e-17
  double sum = exp_series[13];
  for (int k = 12; k >= 0; --k) sum = sum * f + exp_series[k];
  double r =
      std::bit_cast<double>(std::bit_cast<uint64_t>(sum) + (std::bit_cast<uint64_t>(shifted) << 52));  // times 2^n
  return x < -708 ? 0 : x == x ? r : x;
}
// ln x for finite x > 0 in double, error below 1 ulp + 4e-16.
double log_f64(double x);

}  // namespace ridgeline
