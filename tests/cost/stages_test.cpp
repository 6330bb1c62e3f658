#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cost/explain.h"
#include "models/catalogue.h"

namespace ridgeline {
namespace {

TEST(StageTable, SaysWhatEachPassLeft) {
  auto stages = run_passes(build("gpt2", DType::bf16, find_in_catalogue("gpt2")->config), pipeline({}));
  std::string text = stage_table(stages, BatchShape::parse("1@100"));
  auto json = stages_json(stages, BatchShape::parse("1@100"));
  ASSERT_EQ(json.size(), stages.size());
  size_t at = 0;
  for (const Stage& s : stages) {  // one row a stage, in order, each with its number of ops
    size_t row = text.find("  " + s.pass, at);
    ASSERT_NE(row, text.npos) << s.pass << "\n" << text;
    at = text.find('\n', row);
    EXPECT_NE(text.substr(row, at - row).find(" " + std::to_string(s.program.nodes.size()) + " "), text.npos) << text;
    const auto& same = json[static_cast<size_t>(&s - stages.data())];
    EXPECT_EQ(same["after"], s.pass);
    EXPECT_EQ(same["ops"], s.program.nodes.size());
    EXPECT_GT(same["bytes"], 0);
    EXPECT_GT(same["flops"], 0);
  }
}

}  // namespace
}  // namespace ridgeline
