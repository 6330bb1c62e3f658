// What a plan says, line by line and table by table, before it becomes text for a terminal or a page for a browser.
#pragma once
#include "base/text_table.h"
#include "planner/plan.h"

namespace ridgeline {

// "llama-3-8b (bf16, 8.03 B parameters) on one NVIDIA H100 SXM5, 80 GB"
std::string plan_heading(const Plan&);

struct PlanAnswer {
  std::string title;  // "decode", "what helps"
  std::vector<std::string> lines;
};
std::vector<PlanAnswer> plan_answers(const Plan&);
// What the times of all answers are.
std::string times_remark(const Plan&);

struct PlanTable {
  std::string caption;  // empty: the first column's title says what it is
  std::vector<TextTable::Column> columns;
  std::vector<std::vector<std::string>> rows;
  void row(std::vector<std::string> cells) { rows.push_back(std::move(cells)); }
};
// In the order in which they are shown; those that have no rows are left out. One without columns is its caption alone.
std::vector<PlanTable> plan_tables(const Plan&);

}  // namespace ridgeline
