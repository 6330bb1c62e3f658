#include "base/text_table.h"

#include <gtest/gtest.h>

namespace ridgeline {
namespace {

TEST(TextTable, AlignsAndTrims) {
  TextTable t({{"op", TextTable::Align::left}, {"bytes"}, {"note", TextTable::Align::left}});
  t.row({"a", "1,000"});
  t.line("  layer");
  t.row({"\u00b5\u00b5\u00b5", "7", "x"});  // two bytes a letter, one column
  EXPECT_EQ(t.text(), "  op   bytes  note\n  a    1,000\n  layer\n  \u00b5\u00b5\u00b5      7  x\n");
}

TEST(Numbers, Grouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(-1000), "-1,000");
  EXPECT_EQ(grouped(-999), "-999");
  EXPECT_EQ(grouped(8030261248), "8,030,261,248");
  EXPECT_EQ(grouped(INT64_MIN), "-9,223,372,036,854,775,808");
}

TEST(Numbers, Quantity) {
  EXPECT_EQ(quantity(0), "0 ");
  EXPECT_EQ(quantity(96), "96 ");
  EXPECT_EQ(quantity(15.01e9), "15.01 G");
  EXPECT_EQ(quantity(131203072), "131.2 M");
  EXPECT_EQ(quantity(999999), "1.00 M");
}

TEST(Numbers, ScaleKeepsColumnsOnOneUnit) {
  Scale s(1050673152);
  EXPECT_EQ(s.prefix, "M");
  EXPECT_EQ(s.text(1050673152), "1,050.673");
  EXPECT_EQ(s.text(16387), "0.016");
  EXPECT_EQ(s.text(0), "-");
  EXPECT_EQ(Scale(9999).text(9999), "9,999");
  EXPECT_EQ(Scale(10000).text(10000), "10.000");
  EXPECT_EQ(Scale(0).text(0), "-");
}

}  // namespace
}  // namespace ridgeline
