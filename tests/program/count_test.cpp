#include "program/count.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"

namespace ridgeline {
namespace {

const Count tokens = Symbol::tokens, pairs = Symbol::pairs;

BatchShape random_batch(std::mt19937& r) {
  BatchShape b;
  for (auto n = 1 + r() % 5; n; --n)
    b.sequences.push_back(
        {1 + static_cast<int64_t>(r() % 20), static_cast<int64_t>(r() % 40), static_cast<int64_t>(r() % 3)});
  return b;
}

TEST(Count, IsAPolynomial) {
  std::mt19937 r(1);
  for (int i = 0; i < 200; ++i) {
    BatchShape b = random_batch(r);
    int64_t t = tokens.at(b), p = pairs.at(b);
    Count c = 3 * tokens * pairs + 2 * pairs + 7, d = tokens + 1;
    EXPECT_EQ(c.at(b), 3 * t * p + 2 * p + 7);
    EXPECT_EQ((c * d).at(b), c.at(b) * d.at(b));
    EXPECT_EQ((c + d).at(b), c.at(b) + d.at(b));
    EXPECT_EQ(c * d, d * c);
    EXPECT_EQ(c * (d + c), c * d + c * c);
  }
}

TEST(Count, CancelsAndCompares) {
  Count zero = 2 * tokens + (-2) * tokens;
  EXPECT_TRUE(zero.is_zero());
  EXPECT_EQ(zero, Count(0));
  EXPECT_EQ(zero.constant(), 0);
  EXPECT_EQ(0 * pairs, Count());
  EXPECT_FALSE(tokens == pairs);
  EXPECT_FALSE(Count(Symbol{Symbol::keys, 4}) == Count(Symbol::keys));
  EXPECT_EQ(tokens * pairs, pairs * tokens);
}

TEST(Count, ReadsLikeAFormula) {
  EXPECT_EQ(Count(0).text(), "0");
  EXPECT_EQ((4096 * tokens).text(), "4096 tokens");
  EXPECT_EQ((tokens + 12).text(), "tokens + 12");
  EXPECT_EQ((2 * pairs + 3 * tokens).text(), "2 pairs + 3 tokens");
  EXPECT_EQ(Count(Symbol{Symbol::pairs, 4096}).text(), "pairs<4096>");
  EXPECT_EQ((2 * tokens * Count(Symbol::sequences)).text(), "2 tokens sequences");
}

TEST(Count, ScalesExactlyOrNotAtAll) {
  EXPECT_EQ((64 * tokens).scaled(18, 32), 36 * tokens);
  EXPECT_THROW((63 * tokens).scaled(18, 32), Error);
  EXPECT_THROW(tokens.constant(), Error);
  EXPECT_EQ((INT64_MAX / 2 * tokens).scaled(32, 32), INT64_MAX / 2 * tokens);  // the product needs more than 63 bits
}

TEST(Count, RefusesWhatDoesNotFit) {
  BatchShape b = BatchShape::parse("1000");
  auto refused = [](auto&& f) {
    try {
      f();
    } catch (const Error& e) { return e.code() == ExitCode::unavailable; }
    return false;
  };
  EXPECT_TRUE(refused([&] { (INT64_MAX / 999 * tokens).at(b); }));
  EXPECT_TRUE(refused([&] { (tokens * tokens * tokens * tokens * tokens * tokens * tokens).at(b); }));
  EXPECT_TRUE(refused([&] { INT64_MAX* tokens + tokens; }));
  EXPECT_TRUE(refused([&] { (INT64_MAX / 1000 * tokens + INT64_MAX / 1000 * pairs).at(b); }));
  EXPECT_EQ((INT64_MAX / 1000 * tokens).at(b), INT64_MAX / 1000 * 1000);
}

// Windows and masks against a loop over every query and key.
TEST(Symbol, CountsVisiblePairsAndKeys) {
  std::mt19937 r(2);
  for (int i = 0; i < 500; ++i) {
    BatchShape b = random_batch(r);
    for (int window : {0, 1, 2, 7, 20, 64}) {
      int64_t pair_count = 0, key_count = 0;
      for (const auto& s : b.sequences)
        for (int64_t key = 0; key < s.cached + s.fresh; ++key) {
          bool seen = false;
          for (int64_t query = s.cached; query < s.cached + s.fresh; ++query)
            if (bool visible = key <= query && (!window || query - key < window)) ++pair_count, seen = visible;
          key_count += seen;
        }
      EXPECT_EQ((Symbol{Symbol::pairs, window}.at(b)), pair_count) << b.text() << " window " << window;
      EXPECT_EQ((Symbol{Symbol::keys, window}.at(b)), key_count) << b.text() << " window " << window;
    }
  }
}

TEST(Symbol, CountsTheBatch) {
  BatchShape b{{{1, 1000, 1}, {512, 512, 3}, {7, 0, 0}}};
  EXPECT_EQ(Symbol{Symbol::tokens}.at(b), 520);
  EXPECT_EQ(Symbol{Symbol::cached}.at(b), 1512);
  EXPECT_EQ(Symbol{Symbol::keys}.at(b), 2032);
  EXPECT_EQ(Symbol{Symbol::sequences}.at(b), 3);
  EXPECT_EQ(Symbol{Symbol::logit_rows}.at(b), 4);
}

}  // namespace
}  // namespace ridgeline
