#include "cost/names.h"

#include <unordered_map>

namespace ridgeline {

std::vector<std::string> program_names(const Program& p) {
  auto at = [](Value v) { return static_cast<size_t>(v.id); };
  std::vector<std::string> names = p.labels();
  for (auto& name : names)
    if (size_t layer = name.find("layers."); layer != name.npos)
      name.erase(layer, name.find('.', layer + 7) + 1 - layer);

  std::vector<size_t> last_use(p.values.size()), replaced(p.values.size(), p.nodes.size());  // node numbers
  std::unordered_map<std::string, Value> latest;
  for (size_t i = 0; i < p.nodes.size(); ++i) {
    for (Value v : p.nodes[i].op.operands()) last_use[at(v)] = i;
    for (Value v : p.nodes[i].results) {
      auto [found, first] = latest.try_emplace(p.entry(v).name, v);
      if (!first) replaced[at(found->second)] = i, found->second = v;
    }
  }
  for (const auto& n : p.nodes) {
    if (!n.op.consumed().empty()) continue;  // the next version of a state keeps its prime
    for (Value v : n.results)
      if (last_use[at(v)] <= replaced[at(v)]) names[at(v)] = p.entry(v).name;
  }
  return names;
}

std::string brief_text(const Program& p, const Node& n, const std::vector<std::string>& names) {
  auto name = [&](Value v) { return names[static_cast<size_t>(v.id)]; };
  std::string results;
  for (Value v : n.results) results += (results.empty() ? "" : ", ") + name(v);
  auto operand = [&](Value v) {
    bool bookkeeping = p.type(v).role == Role::index && (p.entry(v).name == "sequences" || p.entry(v).name == "slots");
    return bookkeeping ? std::string() : name(v);
  };
  return results + " = " + n.op.text(operand, true);
}

}  // namespace ridgeline
