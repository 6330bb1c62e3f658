#include "program/rewriter.h"

namespace ridgeline {

Rewriter::Rewriter(const Program& old) : from(old), map_(old.values.size()) {
  to.name = from.name;
  to.facts = from.facts;
  for (size_t i = 0; i < from.values.size(); ++i)
    if (const auto& e = from.values[i]; e.origin != Program::Origin::computed)
      map_[i] = to.declare(e.name, e.type, e.origin);
}

Expr Rewriter::operator()(Value old) {
  Value now = map_.at(static_cast<size_t>(old.id));
  if (!now)
    fail(ExitCode::internal, "internal", "rewriting {}: {} is used before it is made", from.name,
         from.labels()[static_cast<size_t>(old.id)]);
  return {&to, now};
}

Expr Rewriter::index(const std::string& name, Shape shape) {
  Value found = to.find(name);
  return found ? Expr{&to, found} : declare(name, {DType::i32, std::move(shape), Role::index}, Program::Origin::input);
}

void Rewriter::keep(const Node& n) { replace(n.results, to.add(map(n.op))); }

void Rewriter::replace(const Values& old, const Values& now) {
  for (size_t i = 0; i < old.size(); ++i) {
    map_[static_cast<size_t>(old[i].id)] = now[i];
    to.values[static_cast<size_t>(now[i].id)].name = from.entry(old[i]).name;
  }
}

Program rewrite(const Program& from, const std::function<void(Rewriter&, const Node&)>& visit) {
  Rewriter r(from);
  for (const auto& n : from.nodes) {
    r.to.layer = n.layer;
    visit(r, n);
  }
  r.to.layer = -1;
  for (const auto& o : from.outputs) r.to.outputs.push_back({o.name, r(o.value)});
  return std::move(r.to);
}

}  // namespace ridgeline
