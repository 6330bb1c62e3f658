#include "program/batch_shape.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"
#include "base/limits.h"

namespace ridgeline {
namespace {

TEST(BatchShape, ParsesEveryForm) {
  BatchShape b = BatchShape::parse("64x1@1000,512@512,3");
  ASSERT_EQ(b.sequences.size(), 66u);
  EXPECT_EQ(b.sequences[63].fresh, 1);
  EXPECT_EQ(b.sequences[63].cached, 1000);
  EXPECT_EQ(b.sequences[63].logit_rows, 1);
  EXPECT_EQ(b.sequences[64].fresh, 512);
  EXPECT_EQ(b.sequences[64].cached, 512);
  EXPECT_EQ(b.sequences[65].fresh, 3);
  EXPECT_EQ(b.sequences[65].cached, 0);
}

TEST(BatchShape, TextIsTheShortestSpelling) {
  EXPECT_EQ(BatchShape::parse("1x1@0,1,2x1").text(), "4x1");
  EXPECT_EQ(BatchShape::parse("0064x01@1000").text(), "64x1@1000");
  std::mt19937 r(1);
  for (int i = 0; i < 200; ++i) {
    BatchShape b;
    for (auto n = 1 + r() % 6; n; --n)
      b.sequences.push_back({1 + static_cast<int64_t>(r() % 2), static_cast<int64_t>(r() % 2)});
    EXPECT_EQ(BatchShape::parse(b.text()).text(), b.text());
  }
}

TEST(BatchShape, Uncached) {
  BatchShape b = BatchShape::parse("2x1@9,5").uncached();
  EXPECT_EQ(b.text(), "2x10,5");
  EXPECT_EQ(b.sequences[0].logit_rows, 1);
}

TEST(BatchShape, RefusesNonsenseAndSaysWhichPart) {
  for (const char* text : {"",
                           ",",
                           "1,",
                           ",1",
                           "1,,1",
                           "x",
                           "x1",
                           "1x",
                           "@",
                           "1@",
                           "@1",
                           "0",
                           "0x1",
                           "-1",
                           "1@-1",
                           "1x1x1",
                           "1@1@1",
                           "1 ",
                           " 1",
                           "1.5",
                           "+1",
                           "1e3",
                           "0x10@",
                           "abc",
                           "1@1000000000000000000000",
                           "99999999999999999999999",
                           "1x1@67108865",
                           "67108865",
                           "65537x1",
                           "65536x1,1",
                           "\xff",
                           "1\n"}) {
    try {
      BatchShape::parse(text);
      ADD_FAILURE() << "accepted '" << text << "'";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::usage) << text;
      EXPECT_NE(std::string(e.what()).find("--batch"), std::string::npos);
      EXPECT_NE(std::string(e.what()).find("e.g. 64x1@1000"), std::string::npos);
    }
  }
  try {
    BatchShape::parse("64x1@1000,oops@3");
    ADD_FAILURE();
  } catch (const Error& e) { EXPECT_NE(std::string(e.what()).find("'oops@3'"), std::string::npos) << e.what(); }
}

TEST(BatchShape, TakesTheLargestThatIsAllowed) {
  EXPECT_EQ(BatchShape::parse("65536x1").sequences.size(), static_cast<size_t>(limits::batch_sequences));
  EXPECT_EQ(BatchShape::parse("67108864@67108864").sequences[0].cached, limits::context);
}

}  // namespace
}  // namespace ridgeline
