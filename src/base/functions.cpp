#include "base/functions.h"

namespace ridgeline {

SinCos sin_cos(double x) {
  // pi/2 in three parts of 33 bits and less: n times a part is exact for |n| < 2^20.
  constexpr double two_over_pi = 0x1.45f306dc9c883p-1;
  constexpr double part1 = 0x1.921fb544p+0, part2 = 0x1.0b4611a6p-34, part3 = 0x1.3198a2e037073p-69;
  double n = std::nearbyint(x * two_over_pi);
  double r = ((x - n * part1) - n * part2) - n * part3, s = r * r;
  // Taylor series on |r| <= pi/4; the first term left out is below 1e-17.
  constexpr double s3 = -1.0 / 6, s5 = 1.0 / 120, s7 = -1.0 / 5040, s9 = 1.0 / 362880, s11 = -1.0 / 39916800,
                   s13 = 1.0 / 6227020800.0, s15 = -1.0 / 1307674368000.0;
  constexpr double c2 = -1.0 / 2, c4 = 1.0 / 24, c6 = -1.0 / 720, c8 = 1.0 / 40320, c10 = -1.0 / 3628800,
                   c12 = 1.0 / 479001600.0, c14 = -1.0 / 87178291200.0, c16 = 1.0 / 20922789888000.0;
  double sin = r + r * s * (s3 + s * (s5 + s * (s7 + s * (s9 + s * (s11 + s * (s13 + s * s15))))));
  double cos = 1 + s * (c2 + s * (c4 + s * (c6 + s * (c8 + s * (c10 + s * (c12 + s * (c14 + s * c16)))))));
  switch (static_cast<int64_t>(n) & 3) {
    case 0: return {sin, cos};
    case 1: return {cos, -sin};
    case 2: return {-sin, -cos};
    default: return {-cos, sin};
  }
}

double power(double base, double y) {
  // log2(base) = e + log2(m), m in [sqrt(1/2), sqrt(2)], by the series of atanh((m - 1) / (m + 1)).
  int e = 0;
  double m = std::frexp(base, &e);  // exact
  if (m < 0x1.6a09e667f3bcdp-1) m *= 2, --e;
  double z = (m - 1) / (m + 1), zz = z * z, series = 0;
  for (int k = 21; k >= 1; k -= 2) series = series * zz + 1.0 / k;
  constexpr double log2_e = 0x1.71547652b82fep+0, ln_2 = 0x1.62e42fefa39efp-1;
  double log2 = e + 2 * z * series * log2_e;
  double t = y * log2, n = std::nearbyint(t), f = (t - n) * ln_2, sum = 1;
  for (int k = 18; k >= 1; --k) sum = 1 + sum * f / k;  // e^f
  return std::ldexp(sum, static_cast<int>(n));          // exact
}

double log_f64(double x) {
  // ln x = e ln 2 + ln m, m in [sqrt(1/2), sqrt(2)], by the series of 2 atanh(z), z = (m - 1) / (m + 1), |z| < 0.172.
  constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
  int e = 0;
  double m = std::frexp(x, &e);  // exact
  if (m < 0x1.6a09e667f3bcdp-1) m *= 2, --e;
  double z = (m - 1) / (m + 1), zz = z * z, series = 0;
  for (int k = 21; k >= 3; k -= 2) series = (series + 1.0 / k) * zz;
  return e * ln2_high + (2 * z + (2 * z * series + e * ln2_low));
}

}  // namespace ridgeline
