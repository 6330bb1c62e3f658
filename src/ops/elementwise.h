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

// The activations: value(x), and what it costs. Silu and Gelu fuse with linears (ops/fused.h).
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

struct GeluErf {  // x * Phi(x); Phi after Abramowitz & Stegun 26.2.17, within 7.5e-8 of it    (Hendrycks & Gimpel 2016)
  static constexpr auto name = "gelu_erf", mul = "gelu_erf_mul";
  static constexpr int flops = 20;
  static constexpr float t1 = 0.2316419f, density = 0.3989422804f;  // 1 / sqrt(2 pi)
  static constexpr float b[5] = {0.319381530f * density, -0.356563782f * density, 1.781477937f * density,
                                 -1.821255978f * density, 1.330274429f * density};
  template <class S>
  static S value(S x) {
    S a = max(x, -x), t = S(1) / mul_add(S(t1), a, S(1)), tail = S(b[4]);
    for (int i = 3; i >= 0; --i) tail = mul_add(tail, t, S(b[i]));
    tail = tail * t * exp(a * a * S(-0.5f));  // 1 - Phi(|x|)
    return mul_add(-a, tail, max(x, S(0)));
  }
};
struct Relu {  // max(x, 0)
  static constexpr auto name = "relu", mul = "relu_mul";
  static constexpr int flops = 1;
  template <class S>
  static S value(S x) {
    return max(x, S(0));
  }
};
struct SquaredRelu {  // max(x, 0)^2                                                       (So et al. 2021)
  static constexpr auto name = "squared_relu", mul = "squared_relu_mul";
  static constexpr int flops = 2;
  template <class S>
  static S value(S x) {
    S y = max(x, S(0));
    return y * y;
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
inline Expr gelu_erf(Expr x) { return emit(x, Activation<GeluErf>{x}); }
inline Expr relu(Expr x) { return emit(x, Activation<Relu>{x}); }
inline Expr squared_relu(Expr x) { return emit(x, Activation<SquaredRelu>{x}); }
inline Expr silu_mul(Expr gate, Expr up) { return emit(gate, Gated<Silu>{gate, up}); }
inline Expr gelu_mul(Expr gate, Expr up) { return emit(gate, Gated<Gelu>{gate, up}); }
inline Expr gelu_erf_mul(Expr gate, Expr up) { return emit(gate, Gated<GeluErf>{gate, up}); }
inline Expr relu_mul(Expr gate, Expr up) { return emit(gate, Gated<Relu>{gate, up}); }

}  // namespace ridgeline
