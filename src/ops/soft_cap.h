// Soft caps, which hold a number x within [-cap, cap]: cap * tanh(x / cap)      (Bello et al. 2016; Gemma Team 2024)
#pragma once
#include "program/program.h"

namespace ridgeline {

// 21 FLOPs, over a scalar or a vector of them.
template <class S>
S soft_tanh(S u) {
  u = -max(S(-tanh_most), -max(S(-tanh_most), u));  // within [-9, 9]; a NaN passes through
  S s = u * u, above(tanh_above[4]), below(tanh_below[4]);
  for (int i = 3; i >= 0; --i) {
    above = mul_add(above, s, S(tanh_above[i]));
    below = mul_add(below, s, S(tanh_below[i]));
  }
  return u * above / below;
}

// The cap of attention's scores, as an attribute; at 0: none, and nothing is shown of it.
struct SoftCap {
  float at = 0;
  std::string text() const { return at == 0 ? "" : fmt::format("{:g}", at); }
  bool operator==(const SoftCap&) const = default;
};

// What x becomes: fl(tanh(fl(x * before)) * after), or fl(x * before) without a cap.
struct ScaledAndCapped {
  float before = 1, after = 0;  // after 0: no cap
  // unit * cap * tanh(scale / cap * x), or unit * scale * x
  ScaledAndCapped(float scale, SoftCap cap, double unit = 1)
      : before(static_cast<float>(static_cast<double>(scale) * (cap.at == 0 ? unit : 1 / static_cast<double>(cap.at)))),
        after(static_cast<float>(unit * static_cast<double>(cap.at))) {}
  int flops() const { return after == 0 ? 1 : 23; }
  template <class S>
  S operator()(S x) const {
    x = x * S(before);
    return after == 0 ? x : soft_tanh(x) * S(after);
  }
};

// y = cap * tanh(x / cap)                        x, y: [rows, cols]
struct SoftCapped {
  Value x;
  float cap;
  static constexpr auto name = "soft_cap";
  static constexpr bool row_wise = true, keeps_name = true;
  static void members(auto& op, auto&& f) { f("x", op.x), f("cap", op.cap); }

  ScaledAndCapped function() const { return {1, {cap}}; }
  std::vector<Type> infer(const Types& t) const {
    fits(cap > 0, name, "the cap is {}", cap);
    return {{DType::f32, t[x].shape}};
  }
  Cost cost(const Types& t) const { return t.streaming(0, function().flops() * t[x].elements()); }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[x];
    auto y = m.result();
    for (int64_t r = 0; r < y.rows(); ++r)
      for (int64_t c = 0; c < y.cols(); ++c) y.store(r, c, function()(in(r, c)));
  }
};

// cap 0: x as it is.
inline Expr soft_cap(Expr x, float cap) { return cap == 0 ? x : emit(x, SoftCapped{x, cap}); }

}  // namespace ridgeline
