#pragma once
#include "program/builder.h"

namespace ridgeline {

// One dot product of a row of activations with a row of a weight matrix: the arithmetic of every linear (docs/numerics.md).
//   q8 x grouped   per group of 32 or 16 k: I = sum((q - z) * a) exactly; acc = fma(I, fl(d * s), acc); with minimums then
//                  acc = fma(m, b, acc), b = fl(s * sum(a)) over the group
//   otherwise      per 32 k: two fp32 chains, over the even k and over the odd k, each from zero; acc += (even + odd)
template <class S>
S dot(const In<S>& x, int64_t r, const In<S>& w, int64_t n) {
  S acc(0);
  if (x.dtype() == DType::q8) {
    const Grouping& grouping = grouping_of(w.dtype());
    for (int64_t k = 0; k < w.cols(); k += grouping.group) {
      const Q8Block& block = x.block(r, k / 32);
      const int8_t* a = block.a + k % 32;
      PanelGroup q = w.group(n, k / grouping.group);
      S whole(0);
      int sum = 0;
      for (int i = 0; i < grouping.group; ++i) {
        whole = mul_add(S(q.q[i] - q.zero), S(a[i]), whole);  // below 2^24: exact
        sum += a[i];
      }
      acc = fold<S>([&] {
        S without = mul_add(whole, S(q.scale) * S(block.scale), acc);
        return grouping.minimums ? mul_add(S(q.minimum), S(block.scale) * S(sum), without) : without;
      });
    }
    return acc;
  }
  for (int64_t k = 0; k < w.cols(); k += 32) {
    S even(0), odd(0);
    for (int64_t i = k; i < std::min(k + 32, w.cols()); i += 2) {
      even = mul_add(x(r, i), w(n, i), even);
      if (i + 1 < w.cols()) odd = mul_add(x(r, i + 1), w(n, i + 1), odd);
    }
    acc = fold<S>([&] { return acc + (even + odd); });
  }
  return acc;
}

// y = x W^T + bias                               x: [rows, in]   weight: [out, in]   bias: [out] or none   y: [rows, out]
struct Linear {
  Value x, weight, bias;
  static constexpr auto name = "linear";
  static constexpr bool row_wise = true;
  static void members(auto& op, auto&& f) { f("x", op.x), f("weight", op.weight), f("bias", op.bias); }

  std::vector<Type> infer(const Types& t) const {
    fits(t[x].cols() == t[weight].cols(), name, "{} does not fit weight {}", t[x].text(), t[weight].text());
    fits(!bias || Dim(t[bias].cols()) == t[weight].rows(), name, "a bias does not fit weight {}", t[weight].text());
    fits(t[x].dtype != DType::q8 || is_grouped(t[weight].dtype), name, "{} needs a grouped weight, not {}", t[x].text(),
         t[weight].text());
    return {{DType::f32, {t[x].rows(), t[weight].rows()}}};
  }
  Cost cost(const Types& t) const {
    return t.streaming(2 * t[x].rows() * t[weight].elements(), bias ? t.result().elements() : 0);
  }
  // Element (r, n) of the result.
  template <class S>
  static S element(const In<S>& x, int64_t r, const In<S>& w, const In<S>& bias, int64_t n) {
    S y = dot(x, r, w, n);
    return bias ? y + bias(n) : y;
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[x], w = m[weight], b = m[bias];
    auto y = m.result();
    for (int64_t n = 0; n < y.cols(); ++n)
      for (int64_t r = 0; r < y.rows(); ++r) y.store(r, n, element(in, r, w, b, n));
  }
};

inline Expr linear(Expr x, Expr weight, Expr bias = {}) { return emit(x, Linear{x, weight, bias}); }
inline Expr linear(Expr x, const Weight& weight, int64_t out) { return linear(x, weight({Dim(out), Dim(x.cols())})); }
inline Expr linear(Expr x, const Weight& weight, const Weight& bias, int64_t out) {
  Expr w = weight({Dim(out), Dim(x.cols())});
  Expr b = bias({Dim(out)});
  return linear(x, w, b);
}

}  // namespace ridgeline
