#include "sampling/stop_strings.h"

#include <gtest/gtest.h>

#include <random>

namespace ridgeline {
namespace {

TEST(StopStrings, HoldsBackWhatMayBecomeOne) {
  StopStrings s({"\nUser:", "END"});
  EXPECT_EQ(s.push("one\n"), "one");
  EXPECT_EQ(s.push("two E"), "\ntwo ");
  EXPECT_EQ(s.push("N"), "");
  EXPECT_EQ(s.push("TRY "), "ENTRY ");
  EXPECT_FALSE(s.stopped());
  EXPECT_EQ(s.push("and\nUser: you"), "and");
  EXPECT_TRUE(s.stopped());
  EXPECT_EQ(s.push("more"), "");
  EXPECT_EQ(s.rest(), "");
}

TEST(StopStrings, GivesTheRestAtTheEnd) {
  StopStrings s({"###"});
  EXPECT_EQ(s.push("a ##"), "a ");
  EXPECT_EQ(s.rest(), "##");
}

TEST(StopStrings, TheFirstToBeCompleteWins) {
  EXPECT_EQ(StopStrings({"bc", "ab"}).push("xabc"), "x");
  EXPECT_EQ(StopStrings({"abcd", "bc"}).push("xabcd"), "xa");
  EXPECT_EQ(StopStrings({"bc", "abc"}).push("xabcd"), "x");
}

// However the text is cut, what is shown is the text up to the stop string that is complete first.
TEST(StopStrings, DoesNotDependOnHowTextArrives) {
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> stops = {"aab", "ba", "abab"};
    std::string text;
    for (int i = 0; i < 12; ++i) text += "abc"[random() % (round % 2 ? 3 : 2)];
    size_t first = text.npos;
    for (size_t end = 1; end <= text.size() && first == text.npos; ++end)
      for (auto& t : stops)
        if (text.substr(0, end).ends_with(t)) first = std::min(first, end - t.size());
    StopStrings s(stops);
    std::string shown;
    for (size_t at = 0; at < text.size();) {
      size_t n = 1 + random() % 4;
      shown += s.push(text.substr(at, n));
      at += n;
    }
    shown += s.rest();
    EXPECT_EQ(shown, text.substr(0, first)) << text;
    EXPECT_EQ(s.stopped(), first != text.npos);
  }
}

}  // namespace
}  // namespace ridgeline
