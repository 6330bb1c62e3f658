#include "base/printable.h"

#include <gtest/gtest.h>

namespace ridgeline {
namespace {

TEST(Printable, leaves_text_as_it_is) {
  for (const char* text : {"", "plain", "caf\u00e9 \u4e2d\u6587 \U0001F600", "\u00a0\u2027\u202f\u2065\u206a\u00e2"}) {
    EXPECT_EQ(escaped(text), text);
    EXPECT_EQ(printable(text), '"' + std::string(text) + '"');
  }
}

TEST(Printable, escapes_what_a_terminal_would_obey) {
  EXPECT_EQ(escaped("\x1b[2J\r\t\x7f\n"), "\\x1b[2J\\x0d\\x09\\x7f\\n");
  EXPECT_EQ(escaped("\u0080\u009b\u009f"), "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f");  // C1: a CSI
  EXPECT_EQ(escaped("\u2028\u202e\u2066\u2069"), "\\xe2\\x80\\xa8\\xe2\\x80\\xae\\xe2\\x81\\xa6\\xe2\\x81\\xa9");
  EXPECT_EQ(escaped(std::string_view("a\0b", 3)), "a\\x00b");
}

TEST(Printable, escapes_what_is_not_UTF8) {
  EXPECT_EQ(escaped("\xff"), "\\xff");
  EXPECT_EQ(escaped("\xc0\x80"), "\\xc0\\x80");
  EXPECT_EQ(escaped("\xe4\xb8"), "\\xe4\\xb8");
  EXPECT_EQ(escaped("\xed\xa0\x80z"), "\\xed\\xa0\\x80z");
}

TEST(Printable, cuts_between_characters) {
  EXPECT_EQ(escaped("abc", 3), "abc");
  EXPECT_EQ(escaped("abcd", 3), "abc...");
  EXPECT_EQ(escaped("a\u4e2d", 3), "a...");
  EXPECT_EQ(printable("a\u4e2d", 4), "\"a\u4e2d\"");
  EXPECT_EQ(printable("abcd", 3), "\"abc\"...");
}

TEST(Printable, quotes_are_escaped_within_quotes_alone) {
  EXPECT_EQ(escaped("a\"b\\"), "a\"b\\");
  EXPECT_EQ(printable("a\"b\\"), "\"a\\\"b\\\\\"");
}

TEST(Printable, LinesAndTabsStayWhereTheyAreWanted) {
  EXPECT_EQ(escaped_lines("a\tb\nc\x1b[2J\n"), "a\tb\nc\\x1b[2J\n");
  EXPECT_EQ(escaped_lines(std::string(5000, 'x')), std::string(5000, 'x'));
  EXPECT_EQ(escaped_lines(""), "");
}

}  // namespace
}  // namespace ridgeline
