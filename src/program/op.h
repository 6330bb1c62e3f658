// An op is a plain struct, one page of src/ops. Its Value members are its operands, its State members are operands it consumes
// (result i is the next version of State i), its other members are attributes. Beside them stand the members that define it:
//
//   static constexpr auto name = "rms_norm";                   optional: notation = "$0 + $1", called = "h", row_wise, keeps_name
//   static void members(auto& op, auto&& f);                   f("x", op.x) for each member, in order
//   std::vector<Type> infer(const Types&) const;               the types of its results; throws where operands do not fit
//   Cost cost(const Types&) const;                             FLOPs, and elements touched per operand and result
//   template <class S> void evaluate(const Memory<S>&) const;  its meaning, in plain loops: the definition of its arithmetic
//   std::vector<Expr> expand(const Scope&) const;              fused ops: the ops it stands for
//   Signature signature(const Types&) const;                   optional: which kernel cell serves it (kernels/kernel_set.h)
//
// row_wise: row r of the result needs only row r of the activation operands. called: what its result is called; keeps_name: it is
// called after the first operand (q = rope(q)); else after the weight that makes it, or after the op. In a notation, $* stands for
// the operands after those it names. Adding an op: docs/adding_an_op.md.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>

#include "base/error.h"
#include "program/count.h"
#include "program/memory.h"
#include "program/value.h"

namespace ridgeline {

// What a value is for. Bytes are reported by role.
enum class Role : uint8_t { weight, activation, kv, index };
inline constexpr int role_count = 4;
std::string_view name_of(Role);

struct Type {
  DType dtype;
  Shape shape;  // [cols] or [rows, cols]; cols is a number
  Role role = Role::activation;
  Count elements() const;
  Count bytes() const { return elements().scaled(row_of(dtype).block_bytes, row_of(dtype).block); }
  const Dim& rows() const { return shape.front(); }
  int64_t cols() const { return shape.back().constant(); }
  bool is_matrix() const { return role == Role::weight && shape.size() == 2; }
  std::string text() const;  // "bf16[tokens, 4096]"
  bool operator==(const Type&) const = default;
};

// Elements touched, each once. Role and type belong to the value, so bytes follow, and retyping a value re-costs every op.
struct Touch {
  Value value;
  Count elements;
};
struct Cost {
  Count matmul, attention, elementwise;  // FLOPs
  std::vector<Touch> reads, writes;
  Count flops() const { return matmul + attention + elementwise; }
};

// What decides which kernel serves an op: the type of its activation input, and the type of what it is applied to (its weight
// matrix, else its state, else its result).
struct Signature {
  DType input, other;
  bool operator==(const Signature&) const = default;
  std::string text() const;  // "q8 x q4_1"
};

// The types around one op: of its operands and, once inferred, of its results.
struct Types {
  std::function<const Type&(Value)> of;
  Values operands, results;
  const Type& operator[](Value v) const { return of(v); }
  const Type& result(int i = 0) const { return of(results.at(static_cast<size_t>(i))); }
  Touch all(Value v) const { return {v, of(v).elements()}; }
  Touch all_of_result(int i = 0) const { return all(results.at(static_cast<size_t>(i))); }
  // FLOPs as given, every operand read once, every result written once: what most ops cost.
  Cost streaming(Count matmul, Count elementwise) const;
};

struct Scope;  // program.h
struct Expr;

template <class M>
concept Operand = std::same_as<std::remove_cvref_t<M>, Value> || std::same_as<std::remove_cvref_t<M>, State>;
template <class M>
concept OperandList = std::same_as<std::remove_cvref_t<M>, Values>;

// The op with each operand v replaced by f(v).
template <class T, class F>
T with_operands(T op, F f) {
  T::members(op, [&](std::string_view, auto& m) {
    if constexpr (Operand<decltype(m)>) {
      if (m) m.id = f(m).id;
    } else if constexpr (OperandList<decltype(m)>) {
      for (auto& v : m) v = f(v);
    }
  });
  return op;
}

namespace detail {
std::string attribute_text(double), attribute_text(int64_t);
inline std::string attribute_text(float x) { return attribute_text(static_cast<double>(x)); }
inline std::string attribute_text(int x) { return attribute_text(int64_t{x}); }
inline std::string attribute_text(bool x) { return x ? "true" : "false"; }
inline std::string attribute_text(DType x) { return std::string(name_of(x)); }
template <class T>
std::string attribute_text(const T& x)
  requires requires { x.text(); }
{
  return x.text();
}
}  // namespace detail

// Any op, shared and immutable.
class Op {
 public:
  template <class T>
    requires(!std::same_as<T, Op>)
  Op(T op) : self_(std::make_shared<Held<T>>(std::move(op))) {}
  template <class T>
  const T* as() const {
    return typeid(*self_) == typeid(Held<T>) ? &static_cast<const Held<T>*>(self_.get())->op : nullptr;
  }

  std::string_view name() const { return self_->name(); }
  std::string_view called() const { return self_->called(); }
  // "rms_norm(x, W.norm, eps=1e-05)", "x + y": operands called as `names` says, left out where it says ""; brief: no attributes.
  std::string text(const std::function<std::string(Value)>& names, bool brief = false) const;
  Values operands() const { return self_->operands(); }
  Values consumed() const { return self_->consumed(); }
  Op mapped(const std::function<Value(Value)>& f) const { return self_->mapped(f); }
  bool same_attributes(const Op& o) const {
    return typeid(*self_) == typeid(*o.self_) && self_->same_attributes(*o.self_);
  }

  std::vector<Type> infer(const Types& t) const { return self_->infer(t); }
  Cost cost(const Types& t) const { return self_->cost(t); }
  Signature signature(const Types& t) const { return self_->signature(t); }
  bool row_wise() const { return self_->row_wise(); }
  bool keeps_name() const { return self_->keeps_name(); }
  std::vector<Expr> expand(const Scope& s) const;  // empty: not a fused op
  template <class S>
  void evaluate(const Memory<S>& m) const {
    self_->evaluate(m);
  }

 private:
  struct Face {
    virtual ~Face() = default;
    virtual std::string_view name() const = 0;
    virtual std::string_view notation() const = 0;
    virtual std::string_view called() const = 0;
    virtual std::string attributes() const = 0;
    virtual bool same_attributes(const Face&) const = 0;  // of another op of the same type
    virtual Values operands() const = 0;
    virtual Values consumed() const = 0;
    virtual Op mapped(const std::function<Value(Value)>&) const = 0;
    virtual std::vector<Type> infer(const Types&) const = 0;
    virtual Cost cost(const Types&) const = 0;
    virtual Signature signature(const Types&) const = 0;
    virtual bool row_wise() const = 0;
    virtual bool keeps_name() const = 0;
    virtual void expand(const Scope&, std::vector<Expr>&) const = 0;
    virtual void evaluate(const Memory<float>&) const = 0;
    virtual void evaluate(const Memory<Counted>&) const = 0;
  };
  static Signature usual_signature(const Types&);

  template <class T>
  struct Held final : Face {
    T op;
    explicit Held(T o) : op(std::move(o)) {}
    std::string_view name() const override { return T::name; }
    std::string_view notation() const override {
      if constexpr (requires { T::notation; })
        return T::notation;
      else
        return "";
    }
    std::string_view called() const override {
      if constexpr (requires { T::called; })
        return T::called;
      else
        return "";
    }
    std::string attributes() const override {
      std::string out;
      T::members(op, [&](std::string_view called, auto& m) {
        if constexpr (!Operand<decltype(m)> && !OperandList<decltype(m)>)
          if (std::string text = detail::attribute_text(m); !text.empty()) out += fmt::format(", {}={}", called, text);
      });
      return out;
    }
    bool same_attributes(const Face& o) const override {
      std::vector<const void*> theirs;
      T::members(static_cast<const Held&>(o).op, [&](std::string_view, auto& m) { theirs.push_back(&m); });
      size_t i = 0;
      bool same = true;
      T::members(op, [&](std::string_view, auto& m) {
        using M = std::remove_cvref_t<decltype(m)>;
        if constexpr (!Operand<M> && !OperandList<M>) same &= m == *static_cast<const M*>(theirs[i]);
        ++i;
      });
      return same;
    }
    Values operands() const override {
      Values v;
      T::members(op, [&](std::string_view, auto& m) {
        if constexpr (Operand<decltype(m)>) {
          if (m) v.push_back(m);
        } else if constexpr (OperandList<decltype(m)>) {
          v.insert(v.end(), m.begin(), m.end());
        }
      });
      return v;
    }
    Values consumed() const override {
      Values v;
      T::members(op, [&](std::string_view, auto& m) {
        if constexpr (std::same_as<std::remove_cvref_t<decltype(m)>, State>) v.push_back(m);
      });
      return v;
    }
    Op mapped(const std::function<Value(Value)>& f) const override { return with_operands(op, f); }
    std::vector<Type> infer(const Types& t) const override { return op.infer(t); }
    Cost cost(const Types& t) const override { return op.cost(t); }
    Signature signature(const Types& t) const override {
      if constexpr (requires { op.signature(t); })
        return op.signature(t);
      else
        return usual_signature(t);
    }
    bool row_wise() const override {
      return requires { T::row_wise; };
    }
    bool keeps_name() const override {
      return requires { T::keeps_name; };
    }
    void expand(const Scope& s, std::vector<Expr>& out) const override {
      if constexpr (requires { op.expand(s); }) out = op.expand(s);
    }
    void evaluate(const Memory<float>& m) const override { op.evaluate(m); }
    void evaluate(const Memory<Counted>& m) const override { op.evaluate(m); }
  };
  std::shared_ptr<const Face> self_;
};

// Throws Error (internal) where operands of an op do not fit: a fault of a model function or a pass.
template <class... A>
void fits(bool ok, std::string_view op, fmt::format_string<A...> why, A&&... args) {
  if (!ok) fail(ExitCode::internal, "shape", "{}: {}", op, fmt::format(why, std::forward<A>(args)...));
}

}  // namespace ridgeline
