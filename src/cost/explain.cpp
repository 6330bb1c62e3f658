#include "cost/explain.h"

#include <algorithm>

#include "base/text_table.h"
#include "cost/names.h"
#include "cost/roofline.h"
#include "cost/totals.h"
#include "cost/units.h"
#include "program/memory_plan.h"

namespace ridgeline {
namespace {

using Align = TextTable::Align;

std::string intensity(int64_t flops, int64_t bytes) {
  if (!flops || !bytes) return "-";
  double x = static_cast<double>(flops) / static_cast<double>(bytes);
  return x < 1000 ? fmt::format("{:.2f}", x) : grouped(std::llround(x));
}
std::string amount(int64_t n, std::string_view unit) { return quantity(static_cast<double>(n)) + std::string(unit); }

// The results' shape for a batch; several results of equal rows lie side by side: [1, 6144].
std::string shape_text(const Program& p, const Node& n, const BatchShape& batch) {
  int64_t rows = p.type(n.results[0]).rows().at(batch), cols = 0;
  for (Value v : n.results) cols += p.type(v).cols();
  return fmt::format("[{}, {}]", rows, cols);
}

// A run of nodes of one layer, or of none, and how many such runs that are alike follow one another.
struct Run {
  size_t first, last;
  int layer, alike = 1;
};

bool alike(const Program& p, const StepCost& c, size_t a, size_t b) {
  const Node &m = p.nodes[a], &n = p.nodes[b];
  return c.ops[a] == c.ops[b] && m.op.same_attributes(n.op) && shape_text(p, m, c.batch) == shape_text(p, n, c.batch);
}

std::vector<Run> runs_of(const Program& p, const StepCost& c, bool all) {
  std::vector<Run> runs;
  for (size_t i = 0, end; i < p.nodes.size(); i = end) {
    int layer = p.nodes[i].layer;
    for (end = i; end < p.nodes.size() && p.nodes[end].layer == layer;) ++end;
    auto same_as = [&](const Run& r) {
      if (r.layer < 0 || layer < 0 || r.last - r.first != end - i) return false;
      for (size_t k = 0; k < end - i; ++k)
        if (!alike(p, c, r.first + k, i + k)) return false;
      return true;
    };
    if (!all && !runs.empty() && same_as(runs.back()))
      ++runs.back().alike;
    else
      runs.push_back({i, end, layer});
  }
  return runs;
}

int64_t most(const StepCost& c, const std::function<int64_t(const OpCost&)>& of) {
  int64_t m = 0;
  for (const auto& o : c.ops) m = std::max(m, of(o));
  return m;
}

std::string heading(const Stage& s, const BatchShape& asked, const StepCost& c) {
  const Program& p = s.program;
  auto role = [&](Role r) { return c.sum.read[static_cast<size_t>(r)]; };
  std::string out = fmt::format("{}   {} parameters   {}   step: {}\n", p.name, parameter_text(p.parameters()),
                                weight_types(p), words(asked));
  std::string kv = role(Role::kv) ? fmt::format(" and {} of KV", amount(role(Role::kv), "B")) : "";
  out += fmt::format("reads {} of weights{} for {}: {:.2f} FLOP/byte\n", amount(role(Role::weight), "B"), kv,
                     amount(c.sum.flops(), "FLOP"), c.sum.intensity());
  return out + recomputation_note(s, asked);
}

// "limited by memory: 4.52 ms at best, on NVIDIA H100 SXM5, 80 GB (ridge at 295 FLOP/byte)"
std::string limit_line(const StepTime& t, const Hardware& h) {
  Arithmetic most = Arithmetic::fp32;  // of the products that take the longest
  double longest = 0;
  for (const OpTime& op : t.ops)
    if (op.cost.matmul && op.ideal > longest) most = op.arithmetic, longest = op.ideal;
  std::string expected = h.efficiency ? fmt::format(", {} expected", time_text(t.calibrated)) : "";
  return fmt::format("limited by {}: {} at best{}, on {} (ridge at {} FLOP/byte of {})\n", name_of(t.limit()),
                     time_text(t.ideal), expected, h.title, figures(h.ridge(most)), name_of(h.peak(most).arithmetic));
}

// time: of the same step on a machine, or nullptr.
std::string op_table(const Program& p, const StepCost& c, const std::vector<Run>& runs, const StepTime* time) {
  auto names = program_names(p);
  auto bytes = [](Role r) { return [r](const OpCost& o) { return o.bytes(r); }; };
  Scale flop(most(c, &OpCost::flops)), weight(most(c, bytes(Role::weight))),
      activation(most(c, bytes(Role::activation))), kv(most(c, bytes(Role::kv)));
  std::vector<TextTable::Column> columns = {{"op", Align::left},
                                            {"shape", Align::left},
                                            {fmt::format("{}FLOP", flop.prefix)},
                                            {fmt::format("weight {}B", weight.prefix)},
                                            {fmt::format("act. {}B", activation.prefix)},
                                            {fmt::format("KV {}B", kv.prefix)},
                                            {"FLOP/B"}};
  if (time) columns.insert(columns.end(), {{"limit", Align::left}, {"ms"}, {"of step"}});
  TextTable table(std::move(columns));
  double whole = 0;
  if (time)
    for (const OpTime& op : time->ops) whole += op.ideal;
  for (const Run& r : runs) {
    if (r.layer >= 0)
      table.line(r.alike > 1 ? fmt::format("  layer x{}", r.alike) : fmt::format("  layer {}", r.layer));
    for (size_t i = r.first; i < r.last; ++i) {
      const OpCost& o = c.ops[i];
      std::vector<std::string> cells = {(r.layer >= 0 ? "  " : "") + brief_text(p, p.nodes[i], names),
                                        shape_text(p, p.nodes[i], c.batch),
                                        flop.text(o.flops()),
                                        weight.text(o.bytes(Role::weight)),
                                        activation.text(o.bytes(Role::activation)),
                                        kv.text(o.bytes(Role::kv)),
                                        intensity(o.flops(), o.bytes())};
      if (time) {
        const OpTime& op = time->ops[i];
        for (std::string cell : {std::string(name_of(op.limit())), fmt::format("{:.3f}", 1e3 * op.ideal),
                                 fmt::format("{:.1f} %", whole > 0 ? 100 * r.alike * op.ideal / whole : 0)})
          cells.push_back(cell);
      }
      table.row(std::move(cells));
    }
  }
  return table.text();
}

std::string folded_note(const std::vector<Run>& runs) {
  std::string out;
  for (const Run& r : runs)
    if (r.alike > 1) out += fmt::format("{} layers are alike: one is shown (--all shows every one).\n", r.alike);
  return out;
}

std::string total_table(const Program& p, const StepCost& c) {
  Totals t = totals(p);
  MemoryPlan plan = plan_memory(p, c.batch);
  TextTable table({{"total", Align::left}, {""}, {"", Align::left}});
  table.row({"parameters", grouped(t.params), ""});
  for (const auto& row : total_rows())
    table.row({std::string(row.label), grouped((t.*row.count).at(c.batch)), "= " + (t.*row.count).text()});
  table.row({"peak activation memory", grouped(plan.peak),
             fmt::format("of {} if no two values shared memory", grouped(plan.total))});
  return table.text();
}

}  // namespace

std::string words(const BatchShape& batch) {
  auto many = [](int64_t n, std::string_view what) {
    return fmt::format("{} {}{}", grouped(n), what, n == 1 ? "" : "s");
  };
  struct Group {
    int64_t count, fresh, cached;
  };
  std::vector<Group> groups;
  for (const auto& s : batch.sequences) {
    if (groups.empty() || groups.back().fresh != s.fresh || groups.back().cached != s.cached)
      groups.push_back({0, s.fresh, s.cached});
    ++groups.back().count;
  }
  std::string out = many(static_cast<int64_t>(batch.sequences.size()), "sequence");
  for (size_t i = 0; i < groups.size(); ++i) {
    const auto& [count, fresh, cached] = groups[i];
    out += i || groups.size() > 1 ? fmt::format("{} {} with ", i ? "," : ":", grouped(count))
           : count == 1           ? ", "
                                  : ", each with ";
    out += many(fresh, "new token");
    if (cached) out += fmt::format(" on {} cached", grouped(cached));
  }
  return out;
}

std::string recomputation_note(const Stage& s, const BatchShape& asked) {
  std::string computed = computed_batch(s.program, asked).text();
  if (computed == asked.text()) return "";
  return fmt::format("after {} there is no KV cache: every token is computed again, as for --batch {}\n", s.pass,
                     computed);
}

std::string parameter_text(int64_t n) {
  auto x = static_cast<double>(n);
  if (n >= 1'000'000'000) return fmt::format("{:.2f} B", x / 1e9);
  if (n >= 1'000'000) return fmt::format("{:.1f} M", x / 1e6);
  return grouped(n);
}

std::string weight_types(const Program& p) {
  std::set<std::string_view> types;
  for (const auto& v : p.values)
    if (v.origin == Program::Origin::weight && v.type.is_matrix()) types.insert(name_of(v.type.dtype));
  return fmt::format("{}", fmt::join(types, " + "));
}

std::string op_table(const Program& p, const StepTime& t, bool all) {
  StepCost c = t.cost();
  return op_table(p, c, runs_of(p, c, all), &t);
}

std::string explain(const Stage& s, const BatchShape& asked, bool all, const Roofline* on) {
  std::optional<StepTime> time = on ? std::optional(on->at(asked)) : std::nullopt;
  StepCost c = time ? time->cost() : step_cost(s.program, asked);
  auto runs = runs_of(s.program, c, all);
  std::string limit = on ? limit_line(*time, on->hardware()) : "";
  return heading(s, asked, c) + limit + "\n" + op_table(s.program, c, runs, time ? &*time : nullptr) + "\n" +
         total_table(s.program, c) + "\n" + folded_note(runs);
}

}  // namespace ridgeline
