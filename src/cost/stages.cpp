#include <nlohmann/json.hpp>

#include "base/text_table.h"
#include "cost/explain.h"
#include "cost/totals.h"

namespace ridgeline {
namespace {

struct StageRow {
  std::string_view after;
  int64_t ops = 0, bytes = 0, flops = 0;
  double seconds = 0;
};
std::vector<StageRow> rows_of(const std::vector<Stage>& stages, const BatchShape& batch) {
  std::vector<StageRow> rows;
  for (const Stage& s : stages) {
    BatchShape computed = computed_batch(s.program, batch);
    Totals t = totals(s.program);
    rows.push_back({s.pass, std::ssize(s.program.nodes), t.bytes().at(computed), t.flops().at(computed), s.seconds});
  }
  return rows;
}

}  // namespace

std::string stage_table(const std::vector<Stage>& stages, const BatchShape& batch) {
  TextTable table({{"after", TextTable::Align::left}, {"ops"}, {"bytes"}, {"FLOP"}, {"pass took, ms"}});
  for (const StageRow& r : rows_of(stages, batch))
    table.row({std::string(r.after), grouped(r.ops), grouped(r.bytes), grouped(r.flops),
               r.seconds > 0 ? fmt::format("{:.1f}", r.seconds * 1e3) : "-"});
  return table.text();
}

nlohmann::ordered_json stages_json(const std::vector<Stage>& stages, const BatchShape& batch) {
  auto json = nlohmann::ordered_json::array();
  for (const StageRow& r : rows_of(stages, batch))
    json.push_back(
        {{"after", r.after}, {"ops", r.ops}, {"bytes", r.bytes}, {"flops", r.flops}, {"seconds", r.seconds}});
  return json;
}

}  // namespace ridgeline
