// The error bounds that docs/numerics.md states for both forms of GELU, against libm in double.
#include <gtest/gtest.h>

#include <cmath>

#include "ops/elementwise.h"

namespace ridgeline {
namespace {

// The exponent 2u is rounded before e^-2u sees it. For positive x that hardly matters; for negative x the result is as good as
// x e^2u, and its relative error grows with |2u|.
TEST(Gelu, IsWithinItsBound) {
  double worst = 0;
  for (float x = -9.5f; x <= 9.5f; x += 0.0000437f) {
    double d = x, twice_u = d * std::fma(d * d, double{Gelu::cubic}, double{Gelu::straight});
    double exact = d / (1 + std::exp(-twice_u));
    double error = std::fabs(static_cast<double>(Gelu::value(x)) - exact) / std::fabs(exact);
    worst = std::max(worst, error / ((3 + std::max(0.0, -twice_u)) * 0x1p-24));
  }
  EXPECT_LT(worst, 2.25);
  EXPECT_GT(worst, 1);  // the bound is not far from what happens
}

TEST(GeluErf, IsWithinItsBound) {
  double worst = 0;
  for (float x = -12; x <= 12; x += 0.0000437f) {
    double d = x, exact = 0.5 * d * std::erfc(-d * std::sqrt(0.5));
    double error = std::fabs(static_cast<double>(GeluErf::value(x)) - exact);
    worst = std::max(worst, error / std::fabs(d == 0 ? 1 : d));
  }
  EXPECT_LT(worst, 2.5e-7);
  EXPECT_GT(worst, 0.5e-7);
}

}  // namespace
}  // namespace ridgeline
