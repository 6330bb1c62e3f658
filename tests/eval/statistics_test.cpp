#include "eval/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace ridgeline {
namespace {

TEST(Statistics, MeanErrorAndQuantiles) {
  std::vector<double> values = {1, 2, 3, 4};
  EXPECT_DOUBLE_EQ(estimate(values).mean, 2.5);
  EXPECT_DOUBLE_EQ(estimate(values).error, std::sqrt(1.25 / 3));
  EXPECT_EQ(estimate(std::vector<double>{7}).error, 0);
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 4);
  EXPECT_DOUBLE_EQ(quantile(std::vector<double>{7}, 0.99), 7);
}

}  // namespace
}  // namespace ridgeline
