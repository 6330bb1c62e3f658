#include "program/program.h"

#include <map>
#include <unordered_map>

namespace ridgeline {

Count Traffic::total() const {
  Count sum;
  for (const auto& c : read) sum += c;
  for (const auto& c : written) sum += c;
  return sum;
}
Traffic& Traffic::operator+=(const Traffic& o) {
  for (size_t r = 0; r < role_count; ++r) read[r] += o.read[r], written[r] += o.written[r];
  return *this;
}

Value Program::declare(std::string called, Type type, Origin origin) {
  values.push_back({std::move(called), std::move(type), origin});
  return {static_cast<int>(values.size()) - 1};
}

// A result is called as its op says, or after what it keeps the name of, or after the weight that makes it, or after the op.
Values Program::add(Op op) {
  Types t{[this](Value v) -> const Type& { return type(v); }, op.operands(), {}};
  auto last_part = [&](Value v) {
    const std::string& full = entry(v).name;
    return full.substr(full.rfind('.') + 1);
  };
  std::vector<std::string> stems;
  if (!op.called().empty())
    stems.emplace_back(op.called());
  else if (op.keeps_name())
    stems.push_back(last_part(t.operands.at(0)));
  else
    for (Value v : t.operands)
      if (entry(v).origin == Origin::weight && (stems.empty() || type(v).is_matrix())) stems.push_back(last_part(v));
  if (stems.empty()) stems.emplace_back(op.name());
  Values results;
  auto types = op.infer(t);
  for (size_t i = 0; i < types.size(); ++i)
    results.push_back(declare(stems[std::min(i, stems.size() - 1)], std::move(types[i]), Origin::computed));
  nodes.push_back({std::move(op), results, layer});
  return results;
}

Value Program::find(std::string_view called) const {
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i].origin != Origin::computed && values[i].name == called) return {static_cast<int>(i)};
  return {};
}

Value Program::output(std::string_view called) const {
  for (const auto& o : outputs)
    if (o.name == called) return o.value;
  fail(ExitCode::internal, "internal", "program {} has no output {}", name, called);
}

Types Program::types(const Node& n) const {
  return {[this](Value v) -> const Type& { return type(v); }, n.op.operands(), n.results};
}

Traffic Program::traffic(const Cost& c) const {
  Traffic t;
  auto bytes = [&](const Touch& touch) {
    return touch.elements.scaled(row_of(type(touch.value).dtype).block_bytes, row_of(type(touch.value).dtype).block);
  };
  for (const auto& r : c.reads) t.read[static_cast<size_t>(type(r.value).role)] += bytes(r);
  for (const auto& w : c.writes) t.written[static_cast<size_t>(type(w.value).role)] += bytes(w);
  return t;
}

int64_t Program::parameters() const {
  int64_t n = 0;
  for (const auto& v : values)
    if (v.origin == Origin::weight) n += v.type.elements().constant();
  return n;
}

std::vector<std::string> Program::labels() const {
  std::unordered_map<std::string, int> versions;
  std::vector<std::string> labels(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i].origin != Origin::computed)
      labels[i] = (values[i].origin == Origin::weight ? "W." : "") + values[i].name;
  for (const auto& n : nodes) {
    Values from = n.op.consumed();
    for (size_t i = 0; i < n.results.size(); ++i) {
      std::string& label = labels[static_cast<size_t>(n.results[i].id)];
      if (i < from.size()) {
        label = labels[static_cast<size_t>(from[i].id)] + "'";  // the next version of a state
      } else {
        int version = versions[entry(n.results[i]).name]++;
        label = version ? fmt::format("{}.{}", entry(n.results[i]).name, version) : entry(n.results[i]).name;
      }
    }
  }
  return labels;
}

std::string Program::text(const Node& n, const std::vector<std::string>& labels) const {
  std::string out;
  for (Value r : n.results) out += (out.empty() ? "" : ", ") + labels[static_cast<size_t>(r.id)];
  return out + " = " + n.op.text([&](Value v) { return labels[static_cast<size_t>(v.id)]; });
}

std::string Program::text() const {
  auto called = labels();
  std::string out = name + ":\n";
  for (const auto& v : values)
    if (v.origin != Origin::computed) out += fmt::format("  {}: {}\n", v.name, v.type.text());
  for (const auto& n : nodes) {
    std::string types;
    for (Value r : n.results) types += (types.empty() ? "" : ", ") + type(r).text();
    out += fmt::format("  {}  : {}\n", text(n, called), types);
  }
  for (const auto& o : outputs) out += fmt::format("  -> {} = {}\n", o.name, called[static_cast<size_t>(o.value.id)]);
  return out;
}

Uses::Uses(const Program& p) : producer_(p.values.size()), users_(p.values.size()), is_output_(p.values.size()) {
  for (const auto& n : p.nodes) {
    for (Value v : n.results) producer_[static_cast<size_t>(v.id)] = &n;
    for (Value v : n.op.operands()) users_[static_cast<size_t>(v.id)].push_back(&n);
  }
  for (const auto& o : p.outputs) ++is_output_[static_cast<size_t>(o.value.id)];
}

std::vector<Expr> emit_all(Expr at, Op op) {
  std::vector<Expr> out;
  for (Value v : at.program->add(std::move(op))) out.push_back({at.program, v});
  return out;
}

Expr named(std::string called, Expr x) {
  x.program->values[static_cast<size_t>(x.value.id)].name = std::move(called);
  return x;
}

}  // namespace ridgeline
