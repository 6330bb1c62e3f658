#include "profiler/profile_opportunities.h"

#include <algorithm>
#include <map>

#include "cost/names.h"
#include "cost/units.h"

namespace ridgeline {
namespace {

using Kind = Opportunity::Kind;

std::string served_by_reference(const Profile& p, const ProfileRow& row) {
  const Node& n = p.program.nodes[row.nodes[0]];
  return fmt::format("slow path: no kernel for {} ({})", n.op.name(), p.program.signature(n).text());
}

// Why an op is below its roof, as far as its times tell.
std::string reason(const Profile& p, const ProfileRow& row) {
  const OpProfile& t = row.time;
  double each = t.measured / static_cast<double>(row.nodes.size());
  std::string reached =
      row.limit == Limit::memory
          ? fmt::format("{}/s of {}/s", bytes_text(static_cast<double>(row.cost.bytes()) / t.measured),
                        bytes_text(p.hardware.bandwidth.value))
          : fmt::format("{} GFLOP/s, {:.0f} % of its roof",
                        figures(static_cast<double>(row.cost.flops()) / t.measured / 1e9), 100 * row.of_roof());
  // Starting an op and finding its operands costs about a microsecond on every worker, whatever the op.
  constexpr double small = 3e-6;
  if (each < small && row.of_roof() < 0.3) return fmt::format("{} each: too small to share out", time_text(each));
  if (p.threads > 1 && t.waiting > 0.2 * t.measured)
    reached += fmt::format("; {:.0f} % waiting: uneven shares", 100 * t.waiting / t.measured);
  return reached;
}

void add_rows(const Profile& p, std::vector<Opportunity>& found) {
  for (const ProfileRow& row : rows_by_kind(p)) {
    bool slow = row.set == "reference";
    found.push_back({slow ? Kind::slow_path : Kind::below_roof, row.name, row.nodes.size(),
                     slow ? served_by_reference(p, row) : reason(p, row), row.recoverable()});
  }
}

// measured: of the ops that would be gone. What they moved may have been in a cache: no more than they took comes back.
double estimate(const Profile& p, int64_t bytes, int64_t ops, double measured) {
  double barrier = p.barriers ? p.in_barriers() / static_cast<double>(p.barriers) : 0;
  return std::min(measured, static_cast<double>(bytes) / p.hardware.bandwidth.value) +
         static_cast<double>(ops) * barrier;
}
// Of the ops that a fusion does away with: those of a name of which there are fewer afterwards, matrix products apart, whose
// work stays.
double measured_of_gone(const Profile& p, const Program& fused) {
  struct Group {
    int64_t before = 0, after = 0;
    double measured = 0;
  };
  std::map<std::string_view, Group> groups;
  for (size_t i = 0; i < p.ops.size(); ++i) {
    const Node& n = p.program.nodes[i];
    if (!p.program.cost(n).matmul.is_zero()) continue;
    Group& g = groups[n.op.name()];
    ++g.before, g.measured += p.ops[i].measured;
  }
  for (const Node& n : fused.nodes)
    if (auto at = groups.find(n.op.name()); at != groups.end()) ++at->second.after;
  double measured = 0;
  for (const auto& [name, g] : groups)
    if (g.after < g.before)
      measured += g.measured * static_cast<double>(g.before - g.after) / static_cast<double>(g.before);
  return measured;
}
std::string saving(int64_t bytes, int64_t ops) {
  return fmt::format("saves {}, {} {}", bytes_text(static_cast<double>(bytes)), ops, ops == 1 ? "barrier" : "barriers");
}

// Fused ops that the program has a place for.
void add_left_out_fusions(const Profile& p, std::vector<Opportunity>& found) {
  auto names = fusion_names();
  for (const auto& name : names) {
    std::set<std::string> others(names.begin(), names.end());
    others.erase(name);
    Program fused = fuse(p.program, others);
    auto ops = std::ssize(p.program.nodes) - std::ssize(fused.nodes);
    if (ops <= 0) continue;
    int64_t bytes = p.cost.sum.bytes() - step_cost(fused, p.batch).sum.bytes();
    found.push_back({Kind::fusion, name, 1, saving(bytes, ops) + "; left out by --disable",
                     estimate(p, bytes, ops, measured_of_gone(p, fused)), bytes, ops});
  }
}

// Bytes of one value in one op's cost.
int64_t bytes_of(const Program& p, const std::vector<Touch>& touches, Value v, const BatchShape& batch) {
  int64_t bytes = 0;
  for (const Touch& t : touches)
    if (t.value == v) {
      const DTypeRow& row = row_of(p.type(v).dtype);
      bytes += t.elements.scaled(row.block_bytes, row.block).at(batch);
    }
  return bytes;
}

// Ops that nobody has fused yet: a light one that alone uses what the op before it made, row by row or, after one that makes
// whole rows, also a norm. What would be saved is writing and reading that value, and a barrier.
void add_chains(const Profile& p, std::vector<Opportunity>& found) {
  struct Chain {
    size_t first = 0, places = 0;
    std::vector<std::string> then;
    int64_t bytes = 0, ops = 0;
    double measured = 0;  // of the ops that would be gone
  };
  const Program& program = p.program;
  auto families = families_of(program);
  auto names = program_names(program);
  Uses uses(program);
  std::map<std::string, Chain> chains;  // by the op they begin with
  std::vector<bool> begun(program.nodes.size());
  for (size_t i = 0; i < program.nodes.size(); ++i) {
    const Node& n = program.nodes[i];
    Cost cost = program.cost(n);
    if (!cost.matmul.is_zero() || !cost.attention.is_zero() || p.ops[i].measured <= 0) continue;
    const Node* before = nullptr;  // the last of those that made something for this op alone
    std::vector<Value> passed;     // what it made
    for (Value v : n.op.operands()) {
      const Node* maker = uses.producer(v);
      if (!maker || program.type(v).role != Role::activation || uses.count(v) != 1 || (before && maker < before))
        continue;
      if (maker != before) before = maker, passed.clear();
      passed.push_back(v);
    }
    if (!before) continue;
    Cost made = program.cost(*before);
    if (families[i] == OpFamily::norm && !made.matmul.is_zero()) continue;  // workers hold parts of rows
    auto at = static_cast<size_t>(before - program.nodes.data());
    Chain& chain = chains[brief_text(program, *before, names)];
    if (!begun[at]) begun[at] = true, ++chain.places;
    chain.first = at, ++chain.ops, chain.measured += p.ops[i].measured;
    if (std::string op(n.op.name()); std::ranges::find(chain.then, op) == chain.then.end()) chain.then.push_back(op);
    for (Value v : passed)
      chain.bytes += bytes_of(program, made.writes, v, p.cost.batch) + bytes_of(program, cost.reads, v, p.cost.batch);
  }
  for (const auto& [text, c] : chains)
    found.push_back({Kind::fusion, fmt::format("{} and {}", program.nodes[c.first].op.name(), fmt::join(c.then, ", ")),
                     c.places, saving(c.bytes, c.ops) + "; no such op yet", estimate(p, c.bytes, c.ops, c.measured),
                     c.bytes, c.ops});
}

}  // namespace

std::string_view name_of(Kind k) {
  static constexpr std::string_view names[] = {"slow path", "below roof", "fusion", "barriers"};
  return names[static_cast<size_t>(k)];
}

std::vector<Opportunity> opportunities(const Profile& p) {
  std::vector<Opportunity> found;
  add_rows(p, found);
  add_left_out_fusions(p, found);
  add_chains(p, found);
  if (p.barriers)
    found.push_back(
        {Kind::barriers, "barriers", static_cast<size_t>(p.barriers),
         fmt::format("{} each: fewer, larger ops", time_text(p.in_barriers() / static_cast<double>(p.barriers))),
         p.in_barriers()});
  std::erase_if(found, [&](const Opportunity& o) { return o.seconds < p.step / 1000; });
  std::ranges::stable_sort(found, std::greater{}, &Opportunity::seconds);
  return found;
}

}  // namespace ridgeline
