// A program: a straight list of ops over named, typed values. Built by expressions (builder.h), changed only by rewriting
// (rewriter.h). Plain SSA, but for state, whose versions share memory and are consumed one by one.
#pragma once
#include <array>
#include <set>

#include "program/op.h"

namespace ridgeline {

struct Node {
  Op op;
  Values results;
  int layer = -1;  // -1: outside the layers
};

// Bytes read and written, by Role.
struct Traffic {
  std::array<Count, role_count> read, written;
  Count total() const;
  Traffic& operator+=(const Traffic&);
};

struct Program {
  enum class Origin : uint8_t { weight, input, state, computed };
  struct Entry {
    std::string name;
    Type type;
    Origin origin;
  };
  struct Output {
    std::string name;
    Value value;
  };

  std::string name;
  std::vector<Entry> values;
  std::vector<Node> nodes;
  std::vector<Output> outputs;
  std::set<std::string> facts;  // what the passes made of it: "cached", "fused", ...
  int layer = -1;               // nodes added now belong to this layer

  Value declare(std::string name, Type type, Origin origin);
  Values add(Op op);                          // infers the types of its results and names them
  Value find(std::string_view name) const;    // a weight, input or state; none: Value{}
  Value output(std::string_view name) const;  // throws Error (internal) where there is none
  const Type& type(Value v) const { return values.at(static_cast<size_t>(v.id)).type; }
  const Entry& entry(Value v) const { return values.at(static_cast<size_t>(v.id)); }
  Types types(const Node& n) const;
  Cost cost(const Node& n) const { return n.op.cost(types(n)); }
  Traffic traffic(const Node& n) const { return traffic(cost(n)); }
  Traffic traffic(const Cost&) const;
  Signature signature(const Node& n) const { return n.op.signature(types(n)); }
  bool is_cached() const { return facts.contains("cached"); }  // reads earlier keys and values from state
  int64_t parameters() const;                                  // elements of all weights

  std::vector<std::string> labels() const;  // how each value is printed: x, x.1, x.2: the versions of a name, in order
  std::string text() const;                 // the whole program; stable, for goldens
  std::string text(const Node&, const std::vector<std::string>& labels) const;  // "q = linear(h, W.q)"
};

// Who makes and who uses each value of a program that stays as it is.
class Uses {
 public:
  explicit Uses(const Program&);
  const Node* producer(Value v) const { return producer_[static_cast<size_t>(v.id)]; }
  template <class T>
  const T* made_by(Value v) const {
    auto* n = v ? producer(v) : nullptr;
    return n ? n->op.as<T>() : nullptr;
  }
  const std::vector<const Node*>& users(Value v) const { return users_[static_cast<size_t>(v.id)]; }  // one entry a use
  int count(Value v) const { return static_cast<int>(users(v).size()) + is_output_[static_cast<size_t>(v.id)]; }

 private:
  std::vector<const Node*> producer_;
  std::vector<std::vector<const Node*>> users_;
  std::vector<int> is_output_;
};

// Checks a program: every operand defined before use, types as inferred, each version of a state consumed at most once and its
// last one an output, names unique. Throws Error (internal) naming the op and the rule.
void verify(const Program&);

// A value of a program that is being written.
struct Expr {
  Program* program = nullptr;
  Value value;
  operator Value() const { return value; }
  operator State() const { return {value}; }
  explicit operator bool() const { return bool(value); }
  const Type& type() const { return program->type(value); }
  int64_t cols() const { return type().cols(); }
};
inline Expr emit(Expr at, Op op) { return {at.program, at.program->add(std::move(op)).at(0)}; }
std::vector<Expr> emit_all(Expr at, Op op);
Expr named(std::string name, Expr x);

// The operands of an op, seen from the program that its expansion is written into.
struct Scope {
  Program* program;
  std::function<Value(Value)> map;
  Expr operator()(Value v) const { return {program, v ? map(v) : Value{}}; }
};

}  // namespace ridgeline
