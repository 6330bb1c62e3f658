#include "eval/windows.h"

#include <gtest/gtest.h>

namespace ridgeline {
namespace {

using List = std::vector<Window>;

TEST(Windows, SlideByTheStride) {
  EXPECT_EQ(sliding_windows(10, 4, 2), (List{{0, 1, 4}, {2, 4, 6}, {4, 6, 8}, {6, 8, 10}}));
  EXPECT_EQ(sliding_windows(9, 4, 3), (List{{0, 1, 4}, {3, 4, 7}, {6, 7, 9}}));
  EXPECT_EQ(sliding_windows(3, 4, 2), (List{{0, 1, 3}}));  // a text shorter than a window
  EXPECT_EQ(sliding_windows(4, 4, 1), (List{{0, 1, 4}}));
  EXPECT_TRUE(sliding_windows(1, 4, 2).empty());  // nothing comes before the first token
  EXPECT_TRUE(sliding_windows(0, 4, 2).empty());
}

TEST(Windows, SideBySideTheFirstTokenOfEachIsNotScored) {
  EXPECT_EQ(sliding_windows(9, 4, 4), (List{{0, 1, 4}, {4, 5, 8}}));  // the ninth stands alone
  EXPECT_EQ(sliding_windows(10, 4, 4), (List{{0, 1, 4}, {4, 5, 8}, {8, 9, 10}}));
}

TEST(Windows, EveryTokenIsScoredOnceWithEnoughBeforeIt) {
  for (int64_t tokens = 2; tokens < 70; ++tokens)
    for (int64_t context = 2; context < 20; ++context)
      for (int64_t stride = 1; stride < context; ++stride) {
        int64_t next = 1;
        for (const Window& w : sliding_windows(tokens, context, stride)) {
          ASSERT_EQ(w.scored, next);
          ASSERT_LT(w.scored, w.end);
          ASSERT_LE(w.end - w.begin, context);
          if (w.begin) { ASSERT_GE(w.scored - w.begin, context - stride); }
          next = w.end;
        }
        ASSERT_EQ(next, tokens);
      }
}

TEST(Windows, ChunksScoreTheirSecondHalf) {
  EXPECT_EQ(chunk_windows(17, 8), (List{{0, 5, 8}, {8, 13, 16}}));
  EXPECT_EQ(chunk_windows(14, 7), (List{{0, 4, 7}, {7, 11, 14}}));
  EXPECT_TRUE(chunk_windows(7, 8).empty());
}

// As windows.h says: with half a window as stride, every other sliding window scores a chunk's tokens and the one before.
TEST(Windows, ChunksAreEveryOtherSlidingWindow) {
  auto sliding = sliding_windows(64, 8, 4), chunks = chunk_windows(64, 8);
  for (size_t i = 0; i < chunks.size(); ++i) {
    const Window& w = sliding[2 * i];
    EXPECT_EQ(chunks[i], (Window{w.begin, i ? w.scored + 1 : 5, w.end}));
  }
}

}  // namespace
}  // namespace ridgeline
