#pragma once
#include "program/program.h"

namespace ridgeline {

// y = a + b                                      all [rows, cols]
struct Add {
  Value a, b;
  static constexpr auto name = "add", notation = "$0 + $1";
  static constexpr bool row_wise = true, keeps_name = true;
  static void members(auto& op, auto&& f) { f("a", op.a), f("b", op.b); }

  std::vector<Type> infer(const Types& t) const {
    fits(t[a].shape == t[b].shape, name, "{} and {} differ", t[a].text(), t[b].text());
    return {{DType::f32, t[a].shape}};
  }
  Cost cost(const Types& t) const { return t.streaming(0, t.result().elements()); }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto p = m[a], q = m[b];
    auto y = m.result();
    for (int64_t r = 0; r < y.rows(); ++r)
      for (int64_t c = 0; c < y.cols(); ++c) y.store(r, c, p(r, c) + q(r, c));
  }
};

// y = factor * x                                 x, y: [rows, cols]
struct Scale {
  Value x;
  float factor;
  static constexpr auto name = "scale";
  static constexpr bool row_wise = true, keeps_name = true;
  static void members(auto& op, auto&& f) { f("x", op.x), f("factor", op.factor); }

  std::vector<Type> infer(const Types& t) const { return {{DType::f32, t[x].shape}}; }
  Cost cost(const Types& t) const { return t.streaming(0, t[x].elements()); }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[x];
    auto y = m.result();
    for (int64_t r = 0; r < y.rows(); ++r)
      for (int64_t c = 0; c < y.cols(); ++c) y.store(r, c, S(factor) * in(r, c));
  }
};

// The two activations: value(x), and what it costs.
struct Silu {  // x * sigmoid(x)                                                   (Elfwing et al. 2017)
  static constexpr auto name = "silu", mul = "silu_mul", linear_mul = "linear_silu_mul", linear = "linear_silu";
  static constexpr int flops = 3;
  template <class S>
  static S value(S x) {
    return x / (S(1) + exp(-x));
  }
};
struct Gelu {  // the tanh form, x * sigmoid(2u) with u = sqrt(2/pi) (x + 0.044715 x^3)    (Hendrycks & Gimpel 2016)
  static constexpr auto name = "gelu", mul = "gelu_mul", linear_mul = "linear_gelu_mul", linear = "linear_gelu";
  static constexpr int flops = 7;
  static constexpr float cubic = 0.0713548162726f, straight = 1.5957691216057f;  // 2 sqrt(2/pi) times 0.044715 and 1
  template <class S>
  static S value(S x) {
    S twice_u = x * mul_add(x * x, S(cubic), S(straight));
    return x / (S(1) + exp(-twice_u));
  }
};

// y = f(x)
template <class F>
struct Activation {
  Value x;
  static constexpr auto name = F::name, called = "g";
  static constexpr bool row_wise = true;
  static void members(auto& op, auto&& f) { f("x", op.x); }

  std::vector<Type> infer(const Types& t) const { return {{DType::f32, t[x].shape}}; }
  Cost cost(const Types& t) const { return t.streaming(0, F::flops * t[x].elements()); }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[x];
    auto y = m.result();
    for (int64_t r = 0; r < y.rows(); ++r)
      for (int64_t c = 0; c < y.cols(); ++c) y.store(r, c, F::value(in(r, c)));
  }
};

// y = f(gate) * up                                                                        (Shazeer 2020)
template <class F>
struct Gated {
  Value gate, up;
  static constexpr auto name = F::mul, called = "g";
  static constexpr bool row_wise = true;
  static void members(auto& op, auto&& f) { f("gate", op.gate), f("up", op.up); }

  std::vector<Type> infer(const Types& t) const {
    fits(t[gate].shape == t[up].shape, name, "gate {} and up {} differ", t[gate].text(), t[up].text());
    return {{DType::f32, t[gate].shape}};
  }
  Cost cost(const Types& t) const { return t.streaming(0, (F::flops + 1) * t[gate].elements()); }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto g = m[gate], u = m[up];
    auto y = m.result();
    for (int64_t r = 0; r < y.rows(); ++r)
      for (int64_t c = 0; c < y.cols(); ++c) y.store(r, c, F::value(g(r, c)) * u(r, c));
  }
};

inline Expr add(Expr a, Expr b) { return emit(a, Add{a, b}); }
inline Expr operator+(Expr a, Expr b) { return add(a, b); }
inline Expr operator*(float factor, Expr x) { return emit(x, Scale{x, factor}); }
inline Expr silu(Expr x) { return emit(x, Activation<Silu>{x}); }
inline Expr gelu(Expr x) { return emit(x, Activation<Gelu>{x}); }
inline Expr silu_mul(Expr gate, Expr up) { return emit(gate, Gated<Silu>{gate, up}); }
inline Expr gelu_mul(Expr gate, Expr up) { return emit(gate, Gated<Gelu>{gate, up}); }

}  // namespace ridgeline
