#include <gtest/gtest.h>

#include "cost/explain.h"
#include "models/catalogue.h"

namespace ridgeline {
namespace {

TEST(StageTable, SaysWhatEachPassLeft) {
  auto stages = run_passes(build("gpt2", DType::bf16, find_in_catalogue("gpt2")->config), pipeline({}));
  std::string text = stage_table(stages, BatchShape::parse("1@100"));
  size_t at = 0;
  for (const Stage& s : stages) {  // one row a stage, in order, each with its number of ops
    size_t row = text.find("  " + s.pass, at);
    ASSERT_NE(row, text.npos) << s.pass << "\n" << text;
    at = text.find('\n', row);
    EXPECT_NE(text.substr(row, at - row).find(" " + std::to_string(s.program.nodes.size()) + " "), text.npos) << text;
  }
}

}  // namespace
}  // namespace ridgeline
