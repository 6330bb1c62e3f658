#include "cost/explain.h"
#include "planner/plan_lines.h"

namespace ridgeline {

std::string plan_text(const Plan& p) {
  std::string out = plan_heading(p) + "\n";
  for (const PlanAnswer& a : plan_answers(p))
    for (size_t i = 0; i < a.lines.size(); ++i) out += fmt::format("{:<11} {}\n", i ? "" : a.title, a.lines[i]);
  out += fmt::format("{} Why any number: --why decode.ms, --why kv.tokens, ... (--why list)\n", times_remark(p));
  auto tables = plan_tables(p);
  for (size_t i = 0; i < tables.size(); ++i) {
    // The step comes behind what was asked for by name.
    if (i == (p.fits.empty() ? 0 : 1))
      out += fmt::format("\nWhere the time of a step goes: {}\n{}", words(p.request.step),
                         op_table(p.deployment->program(), p.step));
    const PlanTable& t = tables[i];
    out += t.caption.empty() ? "\n" : "\n" + t.caption + "\n";
    if (t.columns.empty()) continue;
    TextTable table(t.columns);
    for (const auto& row : t.rows) table.row(row);
    out += table.text();
  }
  return out;
}

}  // namespace ridgeline
