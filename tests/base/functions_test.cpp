// The error bounds that docs/numerics.md states, against libm in double (and long double for angles).
#include "base/functions.h"

#include <gtest/gtest.h>

#include <random>

namespace ridgeline {
namespace {

// The greatest error of f in units in the last place of the exact value, over floats of [low, high] at a stride.
template <class F, class Exact>
double worst_ulp(float low, float high, F f, Exact exact) {
  double worst = 0;
  auto at = [&](uint32_t bits) {
    float x = std::bit_cast<float>(bits);
    double e = exact(static_cast<double>(x));
    if (std::fabs(e) < 0x1p-126) return;
    int exponent = 0;
    std::frexp(e, &exponent);
    worst = std::max(worst, std::fabs(static_cast<double>(f(x)) - e) / std::ldexp(1.0, exponent - 24));
  };
  constexpr uint32_t stride = 997;  // odd: all low bits come up
  for (uint32_t u = 0; u <= std::bit_cast<uint32_t>(high); u += stride) at(u);
  for (uint32_t u = 0x80000000u; u <= std::bit_cast<uint32_t>(low); u += stride) at(u);
  return worst;
}

TEST(Functions, Exp2IsWithinItsBound) {
  EXPECT_LT(worst_ulp(-125.5f, 127.0f, exp2_f32, [](double x) { return std::exp2(x); }), 1.01);
}
TEST(Functions, ExpIsWithinItsBound) {
  EXPECT_LT(worst_ulp(-86.9f, 88.0f, exp_f32, [](double x) { return std::exp(x); }), 2.0);
}
TEST(Functions, SiluIsWithinItsBound) {
  auto silu = [](float x) { return x / (1 + exp_f32(-x)); };
  EXPECT_LT(worst_ulp(-80.0f, 80.0f, silu, [](double x) { return x / (1 + std::exp(-x)); }), 2.5);
}

TEST(Functions, Exp2AtTheEdges) {
  EXPECT_EQ(exp2_f32(0), 1.0f);
  EXPECT_EQ(exp2_f32(10), 1024.0f);
  EXPECT_EQ(std::bit_cast<uint32_t>(exp2_f32(-126)), 0u);  // +0, not a denormal
  EXPECT_EQ(std::bit_cast<uint32_t>(exp2_f32(-INFINITY)), 0u);
  EXPECT_TRUE(std::isfinite(exp2_f32(INFINITY)));
  EXPECT_TRUE(std::isnan(exp2_f32(NAN)));
  EXPECT_TRUE(std::isnan(exp_f32(NAN)));
  EXPECT_EQ(std::bit_cast<uint32_t>(exp_f32(-INFINITY)), 0u);
}

TEST(Functions, SinesAndCosinesOfAnglesThatAContextReaches) {
  std::mt19937_64 random(1);
  double worst = 0;
  for (int i = 0; i < 200000; ++i) {
    double x = std::ldexp(static_cast<double>(random() >> 11), -53) * (i % 2 ? 1.4e5 : 10);
    SinCos s = sin_cos(x);
    auto exact = static_cast<long double>(x);
    worst = std::max(worst, std::fabs(static_cast<double>(static_cast<long double>(s.sin) - std::sin(exact))));
    worst = std::max(worst, std::fabs(static_cast<double>(static_cast<long double>(s.cos) - std::cos(exact))));
  }
  EXPECT_LT(worst, 1e-15);
  EXPECT_EQ(sin_cos(0).sin, 0);
  EXPECT_EQ(sin_cos(0).cos, 1);
}

TEST(Functions, PowersForRotaryFrequencies) {
  for (double base : {10000.0, 500000.0, 1e6, 10.0, 1.0})
    for (int i = 0; i < 128; ++i) {
      double y = -2.0 * i / 256, exact = std::pow(base, y);
      EXPECT_NEAR(power(base, y) / exact, 1, 1e-14) << base << "^" << y;
    }
}

TEST(Functions, ExpInDoubleIsWithinItsBound) {
  std::mt19937_64 random(5);
  double worst = 0;
  for (int i = 0; i < 200'000; ++i) {
    double x = std::uniform_real_distribution(i % 2 ? -700.0 : -2.0, i % 2 ? 700.0 : 2.0)(random);
    auto exact = std::exp(static_cast<long double>(x));
    worst = std::max(worst, static_cast<double>(std::fabs(exp_f64(x) - exact) / exact));
  }
  EXPECT_LT(worst, 4e-16);
  EXPECT_EQ(exp_f64(0), 1);
  EXPECT_EQ(exp_f64(-1e300), 0);
  EXPECT_EQ(exp_f64(-INFINITY), 0);
  EXPECT_TRUE(std::isfinite(exp_f64(INFINITY)));
  EXPECT_TRUE(std::isnan(exp_f64(NAN)));
}

TEST(Functions, LogInDoubleIsWithinItsBound) {
  std::mt19937_64 random(6);
  for (int i = 0; i < 200'000; ++i) {
    double x = std::exp(std::uniform_real_distribution(i % 2 ? -700.0 : -0.1, i % 2 ? 700.0 : 0.1)(random));
    auto exact = std::log(static_cast<long double>(x));
    ASSERT_LT(std::fabs(log_f64(x) - exact), 4e-16 + 2.3e-16 * std::fabs(static_cast<double>(exact))) << x;
  }
  EXPECT_EQ(log_f64(1), 0);
}

}  // namespace
}  // namespace ridgeline
