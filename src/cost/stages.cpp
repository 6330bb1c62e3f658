#include "base/text_table.h"
#include "cost/explain.h"
#include "cost/totals.h"

namespace ridgeline {

std::string stage_table(const std::vector<Stage>& stages, const BatchShape& batch) {
  TextTable table({{"after", TextTable::Align::left}, {"ops"}, {"bytes"}, {"FLOP"}, {"pass took, ms"}});
  for (const Stage& s : stages) {
    BatchShape computed = computed_batch(s.program, batch);
    Totals t = totals(s.program);
    table.row({s.pass, grouped(static_cast<int64_t>(s.program.nodes.size())), grouped(t.bytes().at(computed)),
               grouped(t.flops().at(computed)), s.seconds > 0 ? fmt::format("{:.1f}", s.seconds * 1e3) : "-"});
  }
  return table.text();
}

}  // namespace ridgeline
