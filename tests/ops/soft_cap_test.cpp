// Soft caps against libm in double: the error bound that docs/numerics.md states, and what a cap promises.
#include "ops/soft_cap.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ridgeline {
namespace {

double units_in_the_last_place(float got, double exact) {
  int exponent = 0;
  std::frexp(exact, &exponent);
  return std::fabs(static_cast<double>(got) - exact) / std::ldexp(1.0, exponent - 24);
}

TEST(SoftTanh, IsWithinItsBound) {
  double worst = 0;
  for (float u = -12; u <= 12; u += 0.0000437f)
    worst = std::max(worst, units_in_the_last_place(soft_tanh(u), std::tanh(double{u})));
  for (float u = 1e-30f; u < 1; u *= 1.0001f)
    worst = std::max(worst, units_in_the_last_place(soft_tanh(u), std::tanh(double{u})));
  EXPECT_LT(worst, 5.5);
  EXPECT_GT(worst, 2);  // the bound is not far from what happens
}

TEST(SoftTanh, AtTheEdges) {
  EXPECT_EQ(soft_tanh(0.0f), 0);
  EXPECT_EQ(soft_tanh(INFINITY), soft_tanh(9.0f));
  EXPECT_EQ(soft_tanh(-INFINITY), -soft_tanh(9.0f));
  EXPECT_NEAR(soft_tanh(9.0f), 1, 2.5e-7);
  EXPECT_TRUE(std::isnan(soft_tanh(NAN)));
}

TEST(SoftCap, HoldsWhatItScales) {
  for (double unit : {1.0, 1.4426950408889634})
    for (float cap : {0.5f, 30.0f, 50.0f})
      for (float x = -2000; x < 2000; x += 0.37f) {
        double exact = unit * double{cap} * std::tanh(0.125 / double{cap} * double{x});
        EXPECT_NEAR(ScaledAndCapped(0.125f, {cap}, unit)(x), exact, 1e-6 * unit * double{cap});
      }
  EXPECT_EQ(ScaledAndCapped(0.125f, {}, 2)(8.0f), 2);  // no cap
}

}  // namespace
}  // namespace ridgeline
