#include "program/op.h"

#include <algorithm>

#include "program/program.h"

namespace ridgeline {

std::string_view name_of(Role r) {
  static constexpr std::string_view names[role_count] = {"weight", "activation", "kv", "index"};
  return names[static_cast<int>(r)];
}

Count Type::elements() const {
  Count n = 1;
  for (const auto& d : shape) n = n * d;
  return n;
}

std::string Type::text() const {
  std::string out(name_of(dtype));
  out += '[';
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + shape[i].text();
  return out + "]";
}

std::string Signature::text() const { return fmt::format("{} x {}", name_of(input), name_of(other)); }

Cost Types::streaming(Count matmul, Count elementwise) const {
  Cost c{.matmul = std::move(matmul), .elementwise = std::move(elementwise)};
  for (size_t i = 0; i < operands.size(); ++i)
    if (std::find(operands.begin(), operands.begin() + static_cast<int>(i), operands[i]) ==
        operands.begin() + static_cast<int>(i))
      c.reads.push_back(all(operands[i]));
  for (Value v : results) c.writes.push_back(all(v));
  return c;
}

std::vector<Expr> Op::expand(const Scope& s) const {
  std::vector<Expr> out;
  self_->expand(s, out);
  return out;
}

std::string Op::text(const std::function<std::string(Value)>& names, bool brief) const {
  Values args = operands();
  std::string out;
  if (self_->notation().empty()) {
    for (Value v : args)
      if (std::string called_so = names(v); !called_so.empty()) out += (out.empty() ? "" : ", ") + called_so;
    return fmt::format("{}({}{})", name(), out, brief ? "" : self_->attributes());
  }
  std::string_view form = self_->notation();
  size_t next = 0;  // the operand after those named so far
  for (size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '$') {
      out += form[i];
    } else if (form[++i] != '*') {
      out += names(args.at(static_cast<size_t>(form[i] - '0')));
      ++next;
    } else {
      for (bool first = true; next < args.size(); first = false) out += (first ? "" : ", ") + names(args[next++]);
    }
  }
  return out;
}

Signature Op::usual_signature(const Types& t) {
  Signature s{t.result().dtype, t.result().dtype};
  for (Value v : t.operands)
    if (t[v].role == Role::activation) {
      s.input = t[v].dtype;
      break;
    }
  for (Value v : t.operands)
    if (t[v].is_matrix() || t[v].role == Role::kv) {
      s.other = t[v].dtype;
      break;
    }
  return s;
}

namespace detail {
std::string attribute_text(double x) { return fmt::format("{:g}", x); }
std::string attribute_text(int64_t x) { return fmt::format("{}", x); }
}  // namespace detail

}  // namespace ridgeline
