#include "profiler/profile_rows.h"

#include <algorithm>
#include <array>

#include "cost/names.h"

namespace ridgeline {
namespace {

constexpr std::pair<std::string_view, OpFamily> families_by_op[] = {
    {"append", OpFamily::kv_cache},   {"rope_append", OpFamily::kv_cache},
    {"rms_norm", OpFamily::norm},     {"rms_norm_quantize", OpFamily::norm},
    {"layer_norm", OpFamily::norm},   {"layer_norm_quantize", OpFamily::norm},
    {"rotations", OpFamily::rope},    {"rope", OpFamily::rope},
    {"quantize", OpFamily::quantize}, {"select_rows", OpFamily::rows},
};

// Which values lie between a matrix product and attention, on either side of attention.
struct AroundAttention {
  std::vector<bool> before, after;
  explicit AroundAttention(const Program& p) : before(p.values.size()), after(p.values.size()) {
    auto at = [](Value v) { return static_cast<size_t>(v.id); };
    for (const Node& n : p.nodes) {
      Cost c = p.cost(n);
      if (!c.matmul.is_zero()) continue;  // its results are of another kind
      bool follows = !c.attention.is_zero();
      for (Value v : n.op.operands()) follows |= after[at(v)];
      for (Value v : n.results) after[at(v)] = follows;
    }
    for (auto n = p.nodes.rbegin(); n != p.nodes.rend(); ++n) {
      Cost c = p.cost(*n);
      if (!c.matmul.is_zero()) continue;
      bool leads = !c.attention.is_zero();
      for (Value v : n->results) leads |= before[at(v)];
      for (Value v : n->op.operands()) before[at(v)] = before[at(v)] || leads;
    }
  }
};

// Of all its nodes: what takes the most of the ideal time limits the row.
void finish(ProfileRow& row, const Profile& p) {
  std::array<double, 2> ideal{};
  row.set = p.sets[row.nodes[0]];
  for (size_t i : row.nodes) {
    const OpProfile& op = p.ops[i];
    row.cost += p.cost.ops[i];
    row.time.ideal += op.ideal, row.time.predicted += op.predicted, row.time.measured += op.measured;
    row.time.waiting += op.waiting, row.time.barrier += op.barrier;
    ideal[static_cast<size_t>(p.limits[i])] += op.ideal;
    if (p.sets[i] != row.set) row.set.clear();
  }
  row.limit = ideal[static_cast<size_t>(Limit::compute)] > ideal[static_cast<size_t>(Limit::memory)] ? Limit::compute
                                                                                                     : Limit::memory;
}

// A step may leave ops out: what it wants no logits for.
bool ran(const OpProfile& op) { return op.measured > 0 || op.barrier > 0; }

template <class Name>
std::vector<ProfileRow> gathered(const Profile& p, Name name_of_node) {
  std::vector<ProfileRow> rows;
  auto families = families_of(p.program);
  for (size_t i = 0; i < p.ops.size(); ++i) {
    if (!ran(p.ops[i])) continue;
    std::string name = name_of_node(i, families[i]);
    auto at = std::ranges::find(rows, name, &ProfileRow::name);
    if (at == rows.end()) at = rows.insert(at, ProfileRow{.name = name, .family = families[i]});
    at->nodes.push_back(i);
  }
  for (ProfileRow& row : rows) finish(row, p);
  return rows;
}

}  // namespace

std::string_view name_of(OpFamily f) {
  static constexpr std::string_view names[] = {"attention linear",
                                               "feed-forward linear",
                                               "output head",
                                               "attention",
                                               "KV cache",
                                               "norm",
                                               "rope",
                                               "quantize activations",
                                               "rows",
                                               "elementwise"};
  return names[static_cast<size_t>(f)];
}

std::vector<OpFamily> families_of(const Program& p) {
  AroundAttention around(p);
  auto any = [](const Values& values, const std::vector<bool>& is) {
    return std::ranges::any_of(values, [&](Value v) { return is[static_cast<size_t>(v.id)]; });
  };
  std::vector<OpFamily> families;
  for (const Node& n : p.nodes) {
    Cost c = p.cost(n);
    if (!c.matmul.is_zero()) {
      bool attention = any(n.results, around.before) || any(n.op.operands(), around.after);
      families.push_back(n.layer < 0 ? OpFamily::head
                         : attention ? OpFamily::attention_linear
                                     : OpFamily::feed_forward_linear);
    } else if (!c.attention.is_zero()) {
      families.push_back(OpFamily::attention);
    } else {
      auto known = std::ranges::find(families_by_op, n.op.name(), [](auto& entry) { return entry.first; });
      families.push_back(known == std::end(families_by_op) ? OpFamily::elementwise : known->second);
    }
  }
  return families;
}

std::vector<ProfileRow> rows_by_family(const Profile& p) {
  auto rows = gathered(p, [](size_t, OpFamily f) { return std::string(name_of(f)); });
  std::ranges::stable_sort(rows, std::greater{}, [](const ProfileRow& r) { return r.time.measured; });
  return rows;
}

std::vector<ProfileRow> rows_by_kind(const Profile& p) {
  auto names = program_names(p.program);
  return gathered(p, [&](size_t i, OpFamily) { return brief_text(p.program, p.program.nodes[i], names); });
}

}  // namespace ridgeline
