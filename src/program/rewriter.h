// How passes change a program: they copy it op by op and say what to do differently.
#pragma once
#include "program/program.h"

namespace ridgeline {

class Rewriter {
 public:
  explicit Rewriter(const Program& old);
  Expr operator()(Value old);  // its value in the new program
  Expr declare(std::string name, Type type, Program::Origin origin) {
    return {&to, to.declare(std::move(name), std::move(type), origin)};
  }
  Expr index(const std::string& name, Shape shape);  // an index input, declared when first asked for
  void keep(const Node& n);                          // the same op over the new values
  template <class T>
  T map(const T& op) {
    return with_operands(op, [this](Value v) -> Value { return (*this)(v); });
  }
  Op map(const Op& op) {
    return op.mapped([this](Value v) -> Value { return (*this)(v); });
  }
  // `now`, values of the new program, take over the old ones' places and names.
  void replace(const Values& old, const Values& now);
  void replace(const Node& n, const Op& op) { replace(n.results, to.add(op)); }    // op over values of the new program
  void replace(Value old, Value now) { map_[static_cast<size_t>(old.id)] = now; }  // keeps the new one's name
  Scope scope() {
    return {&to, [this](Value v) -> Value { return (*this)(v); }};
  }

  const Program& from;
  Program to;

 private:
  std::vector<Value> map_;
};

// A copy in which visit(rewriter, node) decides what becomes of each node. Outputs follow their values.
Program rewrite(const Program& from, const std::function<void(Rewriter&, const Node&)>& visit);

}  // namespace ridgeline
