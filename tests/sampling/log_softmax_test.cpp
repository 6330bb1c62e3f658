#include "sampling/log_softmax.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace ridgeline {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<float> random_logits(size_t n, unsigned seed, float spread = 5) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> row(n);
  for (float& x : row) x = normal(random);
  return row;
}

long double exact_sum(const std::vector<float>& row) {
  long double sum = 0;
  for (float x : row) sum += std::exp(static_cast<long double>(x));
  return std::log(sum);
}

TEST(LogSoftmax, IsExactToTheLastDigitsOfADouble) {
  for (size_t n : {1, 7, 8, 101, 49152}) {
    auto row = random_logits(n, static_cast<unsigned>(n));
    EXPECT_NEAR(log_sum_exp(row), static_cast<double>(exact_sum(row)), 1e-13) << n;
  }
  EXPECT_NEAR(log_sum_exp(std::vector<float>{3e38f, 3e38f}), 3e38f + std::log(2.0), 1e22);  // no overflow
  EXPECT_DOUBLE_EQ(log_sum_exp(std::vector<float>{-infinity, 2, -infinity}), 2);
}

TEST(LogSoftmax, SaysWhatIsNoDistribution) {
  for (const auto& row : {std::vector<float>{1, NAN, 2}, {NAN, 1}, {1, infinity}, {-infinity, -infinity}})
    EXPECT_TRUE(std::isnan(log_sum_exp(row)));
}

TEST(Divergence, IsThatOfTheDefinition) {
  auto p = random_logits(1001, 1), q = random_logits(1001, 2);
  long double ps = exact_sum(p), qs = exact_sum(q), kl = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    long double lp = static_cast<long double>(p[i]) - ps, lq = static_cast<long double>(q[i]) - qs;
    kl += std::exp(lp) * (lp - lq);
  }
  EXPECT_NEAR(divergence(p, log_sum_exp(p), q, log_sum_exp(q)), static_cast<double>(kl), 1e-12);
  EXPECT_EQ(divergence(p, log_sum_exp(p), p, log_sum_exp(p)), 0);
  std::vector<float> certain = {0, -infinity}, even = {0, 0};
  EXPECT_DOUBLE_EQ(divergence(certain, log_sum_exp(certain), even, log_sum_exp(even)), std::log(2.0));
}

}  // namespace
}  // namespace ridgeline
