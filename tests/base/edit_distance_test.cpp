#include "base/edit_distance.h"

#include <gtest/gtest.h>

namespace ridgeline {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsAndReplacements) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("flaw", "lawn"), 2u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("bnech", "bench"), 1u);
  EXPECT_EQ(edit_distance("ca", "abc"), 3u);
}

TEST(EditDistance, WhatWasMeant) {
  std::vector<std::string> names = {"--temp", "--threads", "--top-k", "--ctx-size"};
  EXPECT_EQ(likely_meant("--tempp", names), "--temp");
  EXPECT_EQ(likely_meant("--ctx", names), "--ctx-size");
  EXPECT_EQ(likely_meant("--topk", names), "--top-k");
  for (const char* far : {"--nonsense", "-z", "-", "--"}) EXPECT_EQ(likely_meant(far, names), "") << far;
  EXPECT_EQ(likely_meant("", names), "");
  EXPECT_EQ(likely_meant(std::string(100'000, 'x'), names), "");
}

}  // namespace
}  // namespace ridgeline
