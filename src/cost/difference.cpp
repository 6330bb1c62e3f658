#include <map>
#include <nlohmann/json.hpp>

#include "base/text_table.h"
#include "cost/explain.h"
#include "cost/totals.h"
#include "program/memory_plan.h"

namespace ridgeline {
namespace {

using Json = nlohmann::ordered_json;
using Align = TextTable::Align;

struct Sum {
  int64_t ops = 0;
  OpCost cost;
  void add(const OpCost& o) { ++ops, cost += o; }
};

// One of the two stages: its step, its memory, and its sum.
struct Side {
  const Stage& stage;
  StepCost step;
  int64_t peak;
  Sum sum;
  Side(const Stage& s, const BatchShape& asked)
      : stage(s),
        step(step_cost(s.program, asked)),
        peak(plan_memory(s.program, step.batch).peak),
        sum{std::ssize(step.ops), step.sum} {}
};

std::map<std::string_view, std::pair<Sum, Sum>> by_kind(const Side& before, const Side& after) {
  std::map<std::string_view, std::pair<Sum, Sum>> sums;
  for (size_t i = 0; i < before.step.ops.size(); ++i)
    sums[before.stage.program.nodes[i].op.name()].first.add(before.step.ops[i]);
  for (size_t i = 0; i < after.step.ops.size(); ++i)
    sums[after.stage.program.nodes[i].op.name()].second.add(after.step.ops[i]);
  return sums;
}

std::string change(int64_t before, int64_t after) {
  if (before == after) return "-";
  return (after > before ? "+" : "") + grouped(after - before);
}
std::string percent(int64_t before, int64_t after) {
  if (!before) return "from none";
  return fmt::format("{:+.2f} %", 100 * (static_cast<double>(after) / static_cast<double>(before) - 1));
}

}  // namespace

std::string difference(const Stage& before, const Stage& after, const BatchShape& asked) {
  Side a(before, asked), b(after, asked);
  std::string out = fmt::format("{}   {}   step: {}\n", after.program.name, weight_types(after.program), words(asked));
  auto bought = [](std::string_view what, int64_t x, int64_t y) {
    return x == y ? fmt::format("the same {}", what) : fmt::format("{} {} ({})", change(x, y), what, percent(x, y));
  };
  out += fmt::format("from {} to {}: {}, {}, {}\n", before.pass, after.pass, bought("ops", a.sum.ops, b.sum.ops),
                     bought("bytes", a.sum.cost.bytes(), b.sum.cost.bytes()),
                     bought("FLOP", a.sum.cost.flops(), b.sum.cost.flops()));
  for (const Side* side : {&a, &b}) out += recomputation_note(side->stage, asked);

  TextTable table({{"op", Align::left}, {"ops now"}, {"change"}, {"bytes now"}, {"change"}, {"FLOP now"}, {"change"}});
  auto row = [&](std::string_view name, const Sum& x, const Sum& y) {
    table.row({std::string(name), grouped(y.ops), change(x.ops, y.ops), grouped(y.cost.bytes()),
               change(x.cost.bytes(), y.cost.bytes()), grouped(y.cost.flops()),
               change(x.cost.flops(), y.cost.flops())});
  };
  for (const auto& [name, sums] : by_kind(a, b))
    if (sums.first.ops != sums.second.ops || sums.first.cost != sums.second.cost) row(name, sums.first, sums.second);
  row("whole step", a.sum, b.sum);
  std::string peak = a.peak == b.peak ? "" : fmt::format(" ({})", percent(a.peak, b.peak));
  return out + fmt::format("\n{}\npeak activation memory: {} -> {} bytes{}\n", table.text(), grouped(a.peak),
                           grouped(b.peak), peak);
}

Json difference_json(const Stage& before, const Stage& after, const BatchShape& asked) {
  Side a(before, asked), b(after, asked);
  auto sum_json = [](const Sum& s) -> Json {
    return {{"ops", s.ops}, {"flops", s.cost.flops()}, {"bytes", s.cost.bytes()}};
  };
  auto side_json = [&](const Side& s) {
    Json side = {{"pass", s.stage.pass}, {"computed_batch", s.step.batch.text()}};
    side.update(sum_json(s.sum));
    side["peak_activation_bytes"] = s.peak;
    side["totals"] = totals_json(totals(s.stage.program), s.step.batch);
    return side;
  };
  Json kinds = Json::array();
  for (const auto& [name, sums] : by_kind(a, b))
    kinds.push_back({{"op", name}, {"before", sum_json(sums.first)}, {"after", sum_json(sums.second)}});
  return {{"model", after.program.name},
          {"batch", asked.text()},
          {"before", side_json(a)},
          {"after", side_json(b)},
          {"by_op", kinds}};
}

}  // namespace ridgeline
