#include "planner/sheet.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/edit_distance.h"
#include "base/error.h"
#include "base/printable.h"
#include "planner/sheet_text.h"

namespace ridgeline {
namespace {

template <class Map>
[[noreturn]] void fail_unknown(std::string id, std::string_view kind, const std::string& name, const Map& known) {
  std::vector<std::string> names;
  for (const auto& entry : known) names.push_back(entry.first);
  std::string meant = likely_meant(name, names);
  if (meant.empty()) fail(ExitCode::usage, std::move(id), "there is no {} {}", kind, printable(name));
  fail(ExitCode::usage, std::move(id), "there is no {} {}; did you mean {}?", kind, printable(name), meant);
}

}  // namespace

void Sheet::check(const Label& l, bool has_provenance) const {
  if (l.name.empty() || l.unit.empty() || l.meaning.empty() || (has_provenance && l.provenance.empty()))
    fail(ExitCode::bad_config, "quantity_label",
         "quantity {}: expected a name, a unit, a meaning and, of a value, where it comes from; found unit {}, meaning "
         "{}, "
         "provenance {}",
         printable(l.name), printable(l.unit), printable(l.meaning), printable(l.provenance));
  if (has(l.name) || functions_.contains(l.name))
    fail(ExitCode::bad_config, "quantity_twice", "quantity or function {} is there already", printable(l.name));
}

void Sheet::add(Quantity q) {
  check(q.label, !q.formula());
  order_.push_back(q.label.name);
  quantities_.emplace(order_.back(), std::move(q));
}

void Sheet::input(Label label, Number value) { add({std::move(label), value}); }
void Sheet::counted(Label label, std::function<Number()> value) { add({std::move(label), std::move(value)}); }
void Sheet::formula(Label label, std::string_view text) { add({std::move(label), Expression::parse(text)}); }

void Sheet::function(Label label, std::vector<std::string> arguments, Native of) {
  check(label, false);
  std::string name = label.name;
  functions_.emplace(std::move(name), Function{std::move(label), std::move(arguments), std::move(of)});
}

const Sheet::Quantity& Sheet::find(const std::string& name) const {
  auto at = quantities_.find(name);
  if (at == quantities_.end()) fail_unknown("unknown_quantity", "quantity", name, quantities_);
  return at->second;
}

const Label& Sheet::label(const std::string& name) const { return find(name).label; }

std::string Sheet::formula_of(const std::string& name) const {
  const Expression* formula = find(name).formula();
  return formula ? formula->text() : "";
}

Number Sheet::call(const std::string& name, std::span<const Number> arguments) const {
  auto at = functions_.find(name);
  if (at == functions_.end()) fail_unknown("unknown_function", "function", name, functions_);
  const Function& f = at->second;
  if (arguments.size() != f.arguments.size())
    fail(ExitCode::usage, "unknown_function", "{} takes {} arguments ({}), found {}", name, f.arguments.size(),
         fmt::join(f.arguments, ", "), arguments.size());
  return f.of(arguments);
}

Number Sheet::value(const std::string& name, Round& round) const {
  if (auto known = round.values.find(name); known != round.values.end()) return known->second;
  const Quantity& q = find(name);
  Number value = 0;
  if (const Expression* formula = q.formula()) {
    auto again = std::find(round.open.begin(), round.open.end(), name);
    if (again != round.open.end())
      fail(ExitCode::bad_config, "circular_quantity", "quantity {} is made of itself: {} -> {}", name,
           fmt::join(again, round.open.end(), " -> "), name);
    if (round.open.size() == deepest)
      fail(ExitCode::bad_config, "quantity_depth", "quantity {}: formulas more than {} within each other", name,
           deepest);
    round.open.push_back(name);
    value = evaluate(*formula, round);
    round.open.pop_back();
  } else if (auto* native = std::get_if<std::function<Number()>>(&q.is)) {
    value = (*native)();
  } else {
    value = std::get<Number>(q.is);
  }
  round.values.emplace(name, value);
  return value;
}

Number Sheet::evaluate(const Expression& e, Round& round) const {
  return e.evaluate({[&](const std::string& name) { return value(name, round); },
                     [&](const std::string& name, std::span<const Number> a) { return call(name, a); }});
}

Number Sheet::value(const std::string& name) const {
  Round round{values_};
  return value(name, round);
}

Number Sheet::evaluate(const Expression& e) const {
  Round round{values_};
  return evaluate(e, round);
}

Number Sheet::evaluate(const Expression& e, const std::map<std::string, Number>& instead) const {
  Values values;
  for (const auto& [name, value] : instead) find(name), values.emplace(name, value);
  for (const auto& [name, value] : values_)
    if (!find(name).formula()) values.emplace(name, value);
  Round round{values};
  return evaluate(e, round);
}

void Sheet::list_inputs(const Expression& e, int depth, int most, std::set<std::string>& seen, Reason& out) const {
  for (const auto& name : e.functions()) {
    if (!seen.insert(name).second) continue;
    const Function& f = functions_.find(name)->second;  // it is there: the formula has been evaluated
    out.functions.push_back(f.label);
    out.functions.back().name = fmt::format("{}({})", name, fmt::join(f.arguments, ", "));
  }
  if (depth >= most) return;
  for (const auto& name : e.names()) {
    const Expression* formula = find(name).formula();
    bool first = seen.insert(name).second;
    out.inputs.push_back({depth, label(name), value(name), formula_of(name), formula && !first});
    if (formula && first) list_inputs(*formula, depth + 1, most, seen, out);
  }
}

std::map<std::string, std::set<std::string>> Sheet::leaves(const Expression& of) const {
  // Depth first, with what follows from each quantity gathered on the way down; no circle is left, the value is known.
  std::map<std::string, std::set<std::string>> users;  // quantity -> formulas that name it
  std::vector<const Expression*> waiting{&of};
  std::vector<std::string> owner{""}, found;
  std::set<std::string> seen;
  while (!waiting.empty()) {
    const Expression* e = waiting.back();
    std::string whose = owner.back();
    waiting.pop_back(), owner.pop_back();
    for (const auto& name : e->names()) {
      users[name].insert(whose);
      if (!seen.insert(name).second) continue;
      if (const Expression* formula = find(name).formula())
        waiting.push_back(formula), owner.push_back(name);
      else
        found.push_back(name);
    }
  }
  std::map<std::string, std::set<std::string>> out;
  for (const auto& leaf : found) {
    std::set<std::string>& followers = out[leaf];
    std::vector<std::string> next{leaf};
    while (!next.empty()) {
      std::string name = std::move(next.back());
      next.pop_back();
      for (const auto& user : users[name])
        if (!user.empty() && followers.insert(user).second) next.push_back(user);
    }
  }
  return out;
}

std::vector<Sheet::Reason::Sensitivity> Sheet::sensitivities(const Expression& e) const {
  constexpr Number step = 0.005L, least = 5e-5L;  // what would be printed as 0.0 is left out
  std::vector<Reason::Sensitivity> out;
  Number middle = evaluate(e);
  if (middle == 0) return out;  // has no per cent
  for (const auto& [leaf, followers] : leaves(e)) {
    Number at = value(leaf);
    auto with = [&](Number varied) -> std::optional<Number> {
      Values values = values_;
      for (const auto& f : followers) values.erase(f);
      values[leaf] = varied;
      Round round{values};
      try {
        return evaluate(e, round);
      } catch (const Error&) {  // past the edge of what the formula is for
        return {};
      }
    };
    auto above = with(at * (1 + step)), below = with(at * (1 - step));
    Number steps = static_cast<Number>(above.has_value()) + static_cast<Number>(below.has_value());
    if (steps == 0) continue;
    Number percent = (above.value_or(middle) - below.value_or(middle)) / (steps * step * middle);
    if (std::abs(percent) >= least) out.push_back({leaf, percent});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return std::abs(a.percent) > std::abs(b.percent); });
  return out;
}

Sheet::Reason Sheet::why(const Expression& e, Label label, int depth) const {
  Reason r{.label = std::move(label), .value = evaluate(e), .formula = e.text()};
  r.with_values = e.with_names([&](const std::string& name) { return amount(value(name), find(name).label.unit); });
  std::set<std::string> seen;
  list_inputs(e, 0, depth, seen, r);
  r.sensitivities = sensitivities(e);
  return r;
}

Sheet::Reason Sheet::why(const std::string& name, int depth) const {
  const Quantity& q = find(name);
  if (const Expression* formula = q.formula()) {
    value(name);  // refuses a circle before anything walks along it
    return why(*formula, q.label, depth);
  }
  return {.label = q.label, .value = value(name)};
}

}  // namespace ridgeline
