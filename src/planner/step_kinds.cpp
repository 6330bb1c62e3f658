#include "planner/step_kinds.h"

#include <algorithm>
#include <map>

#include "cost/names.h"

namespace ridgeline {
namespace {

std::string label_of(const Program& p, const Node& n, const std::vector<std::string>& names) {
  std::string out;
  for (Value v : n.op.operands()) {
    if (!v || p.entry(v).origin != Program::Origin::weight || !p.type(v).is_matrix()) continue;
    std::string name = names[static_cast<size_t>(v.id)];
    if (name.starts_with("W.")) name.erase(0, 2);
    out += (out.empty() ? "" : " ") + name;
  }
  return out.empty() ? std::string(n.op.name()) : out;
}

}  // namespace

std::string_view name_of(Component c) {
  constexpr std::string_view names[component_count] = {"attention projections", "attention", "feed-forward", "head",
                                                       "elementwise"};
  return names[static_cast<size_t>(c)];
}

std::vector<Component> components(const Program& p) {
  std::map<int, size_t> last_attention;  // by layer
  std::vector<Cost> costs;
  for (size_t i = 0; i < p.nodes.size(); ++i) {
    costs.push_back(p.cost(p.nodes[i]));
    if (!costs[i].attention.is_zero()) last_attention[p.nodes[i].layer] = i;
  }
  std::vector<bool> attended(p.values.size());  // values made of attention's result without a product in between
  std::vector<Component> out;
  for (size_t i = 0; i < p.nodes.size(); ++i) {
    const Node& n = p.nodes[i];
    bool product = !costs[i].matmul.is_zero(), attends = !costs[i].attention.is_zero();
    Values operands = n.op.operands();
    bool after = std::ranges::any_of(operands, [&](Value v) { return v && attended[static_cast<size_t>(v.id)]; });
    if (attends || (after && !product))
      for (Value v : n.results) attended[static_cast<size_t>(v.id)] = true;
    auto last = last_attention.find(n.layer);
    bool before = last != last_attention.end() && i < last->second;
    out.push_back(attends           ? Component::attention
                  : !product        ? Component::elementwise
                  : n.layer < 0     ? Component::head
                  : before || after ? Component::projections
                                    : Component::feed_forward);
  }
  return out;
}

std::vector<StepKind> step_kinds(const Program& p, const StepTime& t) {
  auto names = program_names(p);
  auto parts = components(p);
  std::vector<StepKind> kinds;
  std::multimap<std::string, size_t> by_text;
  for (size_t i = 0; i < t.ops.size(); ++i) {
    std::string text = brief_text(p, p.nodes[i], names);
    auto [first, last] = by_text.equal_range(text);
    auto same =
        std::find_if(first, last, [&](const auto& entry) { return kinds[entry.second].one.cost == t.ops[i].cost; });
    if (same != last) {
      ++kinds[same->second].count;
      continue;
    }
    by_text.emplace(text, kinds.size());
    kinds.push_back({text, label_of(p, p.nodes[i], names), parts[i], 1, t.ops[i]});
  }
  return kinds;
}

std::array<int64_t, component_count> flops_by_component(const Program& p, const StepTime& t) {
  std::array<int64_t, component_count> flops{};
  auto parts = components(p);
  for (size_t i = 0; i < t.ops.size(); ++i) {
    const OpCost& c = t.ops[i].cost;
    flops[static_cast<size_t>(parts[i])] += c.matmul + c.attention;
    flops[static_cast<size_t>(Component::elementwise)] += c.elementwise;
  }
  return flops;
}

}  // namespace ridgeline
