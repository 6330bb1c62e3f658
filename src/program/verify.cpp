#include <algorithm>
#include <unordered_set>

#include "program/program.h"

namespace ridgeline {

void verify(const Program& p) {
  auto at = [](Value v) { return static_cast<size_t>(v.id); };
  std::vector<char> defined(p.values.size()), spent(p.values.size()), leaves(p.values.size());
  std::unordered_set<std::string_view> names;
  for (size_t i = 0; i < p.values.size(); ++i)
    if (p.values[i].origin != Program::Origin::computed) {
      defined[i] = true;
      require(names.insert(p.values[i].name).second, "{}: two values are called {}", p.name, p.values[i].name);
    }
  for (const auto& n : p.nodes) {
    auto rule = [&](bool ok, Value v, std::string_view broken) {
      if (ok) return;
      auto labels = p.labels();
      fail(ExitCode::internal, "verify", "{}: in {}: {} {}", p.name, p.text(n, labels), labels[at(v)], broken);
    };
    for (Value v : n.op.operands()) {
      require(v.id >= 0 && at(v) < p.values.size(), "{}: an operand of {} is not a value of this program", p.name,
              n.op.name());
      rule(defined[at(v)], v, "is used before it is defined");
      rule(!spent[at(v)], v, "is read, but an earlier op already made its next version");
    }
    for (Value v : n.op.consumed()) {
      rule(p.type(v).role == Role::kv, v, "is not state, so it cannot be consumed");
      rule(!spent[at(v)], v, "is consumed twice");
      spent[at(v)] = true;
    }
    for (Value v : n.results) {
      rule(!defined[at(v)], v, "is defined twice");
      defined[at(v)] = true;
    }
    auto expected = n.op.infer(p.types(n));
    require(expected.size() == n.results.size(), "{}: {} makes {} results, {} are recorded", p.name, n.op.name(),
            expected.size(), n.results.size());
    for (size_t i = 0; i < expected.size(); ++i)
      if (const Type& recorded = p.type(n.results[i]); expected[i] != recorded)
        rule(false, n.results[i], fmt::format("is {}, recorded as {}", expected[i].text(), recorded.text()));
  }
  for (const auto& o : p.outputs) {
    require(o.value.id >= 0 && at(o.value) < p.values.size() && defined[at(o.value)], "{}: output {} is never defined",
            p.name, o.name);
    require(!spent[at(o.value)], "{}: output {} is a version of state that was consumed", p.name, o.name);
    leaves[at(o.value)] = true;
  }
  for (size_t i = 0; i < p.values.size(); ++i)
    if (p.values[i].type.role == Role::kv && !spent[i] && !leaves[i])
      fail(ExitCode::internal, "verify", "{}: the last version of state {} is lost: it must be an output", p.name,
           p.labels()[i]);
}

}  // namespace ridgeline
