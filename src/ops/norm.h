#pragma once
#include "program/builder.h"

namespace ridgeline {

// y = x / sqrt(mean(x^2) + eps) * weight         x, y: [rows, groups * dim]   weight: [dim]        (Zhang & Sennrich 2019)
// One group is the usual norm over a row; QK-norm has one group a head.
struct RmsNorm {
  Value x, weight;
  float eps;
  static constexpr auto name = "rms_norm", called = "h";
  static constexpr bool row_wise = true;
  static void members(auto& op, auto&& f) { f("x", op.x), f("weight", op.weight), f("eps", op.eps); }

  std::vector<Type> infer(const Types& t) const {
    fits(t[x].cols() % t[weight].cols() == 0, name, "weight {} does not divide the rows of {}", t[weight].text(),
         t[x].text());
    return {{DType::f32, t[x].shape}};
  }
  Cost cost(const Types& t) const {
    Count groups = t[x].rows() * (t[x].cols() / t[weight].cols());
    return t.streaming(0, 4 * t[x].elements() + 3 * groups);
  }
  // Row r, group at column g, elements as the op makes them: put(i, y_i).
  template <class S, class Put>
  void row(const In<S>& in, const In<S>& w, int64_t r, int64_t g, Put put) const {
    int64_t dim = w.cols();
    Lanes<S> squares(S(0));
    for (int64_t i = 0; i < dim; ++i) {
      S v = in(r, g + i);
      squares.lane[i % 16] = mul_add(v, v, squares.lane[i % 16]);
    }
    S scale = rsqrt(squares.sum() / S(dim) + S(eps));
    for (int64_t i = 0; i < dim; ++i) put(i, in(r, g + i) * scale * w(i));
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[x], w = m[weight];
    auto y = m.result();
    for (int64_t r = 0; r < in.rows(); ++r)
      for (int64_t g = 0; g < in.cols(); g += w.cols()) row(in, w, r, g, [&](int64_t i, S v) { y.store(r, g + i, v); });
  }
};

// y = (x - mean) / sqrt(var + eps) * weight + bias       x, y: [rows, dim]   weight, bias: [dim] or none; no bias alone
//                                                                                                 (Ba et al. 2016)
struct LayerNorm {
  Value x, weight, bias;
  float eps;
  static constexpr auto name = "layer_norm", called = "h";
  static constexpr bool row_wise = true;
  static void members(auto& op, auto&& f) {
    f("x", op.x), f("weight", op.weight), f("bias", op.bias), f("eps", op.eps);
  }

  std::vector<Type> infer(const Types& t) const {
    fits(weight || !bias, name, "a bias without a weight");
    for (Value v : {weight, bias})
      if (v) fits(t[v].shape == Shape{Dim(t[x].cols())}, name, "{} does not fit {}", t[v].text(), t[x].text());
    return {{DType::f32, t[x].shape}};
  }
  Cost cost(const Types& t) const {
    return t.streaming(0, (bias ? 8 : weight ? 7 : 6) * t[x].elements() + 4 * t[x].rows());
  }
  template <class S, class Put>
  void row(const In<S>& in, const In<S>& w, const In<S>& b, int64_t r, Put put) const {
    int64_t dim = in.cols();
    Lanes<S> sum(S(0)), squares(S(0));
    for (int64_t i = 0; i < dim; ++i) sum.lane[i % 16] = sum.lane[i % 16] + in(r, i);
    S mean = sum.sum() / S(dim);
    for (int64_t i = 0; i < dim; ++i) {
      S d = in(r, i) - mean;
      squares.lane[i % 16] = mul_add(d, d, squares.lane[i % 16]);
    }
    S scale = rsqrt(squares.sum() / S(dim) + S(eps));
    for (int64_t i = 0; i < dim; ++i) {
      S unit = (in(r, i) - mean) * scale;
      put(i, b ? mul_add(unit, w(i), b(i)) : w ? unit * w(i) : unit);
    }
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[x], w = m[weight], b = m[bias];
    auto y = m.result();
    for (int64_t r = 0; r < in.rows(); ++r) row(in, w, b, r, [&](int64_t i, S v) { y.store(r, i, v); });
  }
};

inline Expr rms_norm(Expr x, Expr weight, float eps) { return emit(x, RmsNorm{x, weight, eps}); }
inline Expr rms_norm(Expr x, const Weight& weight, float eps) { return rms_norm(x, weight({Dim(x.cols())}), eps); }
// One norm a head, over its elements; the result keeps the name of x.
inline Expr head_norm(Expr x, const Weight& weight, int head_dim, float eps) {
  Expr y = rms_norm(x, weight({Dim(head_dim)}), eps);
  return named(x.program->entry(x).name, y);
}
inline Expr layer_norm(Expr x, const Weight& weight, const Weight& bias, float eps) {
  Expr w = weight({Dim(x.cols())});
  Expr b = bias({Dim(x.cols())});
  return emit(x, LayerNorm{x, w, b, eps});
}
inline Expr layer_norm(Expr x, const Weight& weight, float eps) {
  return emit(x, LayerNorm{x, weight({Dim(x.cols())}), {}, eps});
}
inline Expr layer_norm(Expr x, float eps) { return emit(x, LayerNorm{x, {}, {}, eps}); }

}  // namespace ridgeline
