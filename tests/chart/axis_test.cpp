#include "chart/axis.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace ridgeline {
namespace {

using Numbers = std::vector<double>;

TEST(Axis, PlacesNumbersBetweenItsPixels) {
  Axis level(Axis::Kind::linear, 0, 10, 100, 200);
  EXPECT_EQ(level(0), 100);
  EXPECT_EQ(level(5), 150);
  Axis log(Axis::Kind::log, 1, 1e4, 400, 0);  // upwards
  EXPECT_EQ(log(1), 400);
  EXPECT_NEAR(log(100), 200, 1e-9);
  EXPECT_NEAR(log(1e4), 0, 1e-9);
  EXPECT_TRUE(log.holds(1e4));
  EXPECT_FALSE(log.holds(0.5));
}

TEST(Axis, RefusesARangeThatIsNone) {
  EXPECT_THROW(Axis(Axis::Kind::linear, 1, 1, 0, 1), Error);
  EXPECT_THROW(Axis(Axis::Kind::log, 0, 1, 0, 1), Error);
  EXPECT_THROW(Axis(Axis::Kind::linear, 0, INFINITY, 0, 1), Error);
}

TEST(Ticks, AreRoundNumbers) {
  EXPECT_EQ(linear_ticks(0, 8192, 9), (Numbers{0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000}));
  EXPECT_EQ(linear_ticks(0, 100, 6), (Numbers{0, 20, 40, 60, 80, 100}));
  EXPECT_EQ(linear_ticks(0, 100, 5), (Numbers{0, 50, 100}));
  EXPECT_EQ(linear_ticks(3, 17, 3), (Numbers{5, 10, 15}));
  EXPECT_EQ(linear_ticks(0, 0.3, 4).size(), 4u);
  EXPECT_TRUE(linear_ticks(4e9, 4e9 + 1e-6, 5).empty());
}

TEST(Ticks, LinearOnesAreFewEnoughAndInsideWhateverTheRange) {
  for (double low : {-3.7, 0.0, 0.013, 12.0, 4e9})
    for (double length : {1e-6, 0.7, 1.0, 9.99, 123456.0, 3e14})
      for (int most : {2, 3, 5, 9, 20}) {
        if (length < 1e-6 * low) continue;
        auto ticks = linear_ticks(low, low + length, most);
        EXPECT_LE(ticks.size(), static_cast<size_t>(most)) << low << " " << length;
        EXPECT_GE(ticks.size(), 1u) << low << " " << length << " " << most;
        for (double t : ticks) {
          EXPECT_GE(t, low - length * 1e-6);
          EXPECT_LE(t, low + length * (1 + 1e-6));
        }
      }
}

TEST(Ticks, LogarithmicOnesArePowers) {
  EXPECT_EQ(log_ticks(0.3, 2000, 9), (Numbers{1, 10, 100, 1000}));
  EXPECT_EQ(log_ticks(30, 600, 9), (Numbers{50, 100, 200, 500}));
  EXPECT_EQ(log_ticks(1, 512, 20, 2), (Numbers{1, 2, 4, 8, 16, 32, 64, 128, 256, 512}));
  EXPECT_EQ(log_ticks(1, 512, 5, 2), (Numbers{1, 4, 16, 64, 256}));
  EXPECT_EQ(log_ticks(1e-2, 1e8, 6), (Numbers{1e-2, 1, 1e2, 1e4, 1e6, 1e8}));
}

TEST(Ticks, AreWrittenShort) {
  EXPECT_EQ(tick_text(0), "0");
  EXPECT_EQ(tick_text(20), "20");
  EXPECT_EQ(tick_text(0.01), "0.01");
  EXPECT_EQ(tick_text(1e12), "1 T");
  EXPECT_EQ(tick_text(2.5e9), "2.5 G");
  EXPECT_EQ(tick_text(4096), "4,096");
  EXPECT_EQ(tick_text(1e6), "1 M");
  EXPECT_EQ(tick_text(1500.5), "1.5 k");
}

}  // namespace
}  // namespace ridgeline
