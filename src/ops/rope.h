#pragma once
#include "program/program.h"

namespace ridgeline {

// Rotary frequencies of a head: element pair i turns by radians[i] per position: base^(-2i / head_dim), divided by a factor for
// each pair where a model stretches its context.                                          (Su et al. 2021)
struct RopeFrequencies {
  float base = 10000;
  std::vector<float> factors;  // none, or head_dim / 2 divisors
  std::vector<double> radians;
  RopeFrequencies() = default;
  RopeFrequencies(int head_dim, float base, std::vector<float> factors = {});
  std::string text() const;
  bool operator==(const RopeFrequencies&) const = default;
};

// Llama 3's stretching (Llama 3.1 model card and its reference code): wavelengths above original / low are stretched by
// `factor`, those below original / high are kept, those between are interpolated. Returns the divisors.
std::vector<float> llama3_rope_factors(int head_dim, float base, float factor, float low, float high,
                                       float original_context);

// turns[t] = (cos, sin) of positions[t] * radians          positions: [tokens]   turns: [tokens, head_dim]: cosines, then sines
struct Rotations {
  Value positions;
  RopeFrequencies frequencies;
  static constexpr auto name = "rotations", called = "turns";
  static void members(auto& op, auto&& f) { f("positions", op.positions), f("frequencies", op.frequencies); }

  int64_t half() const { return static_cast<int64_t>(frequencies.radians.size()); }
  std::vector<Type> infer(const Types& t) const { return {{DType::f32, {t[positions].rows(), Dim(2 * half())}}}; }
  Cost cost(const Types& t) const { return t.streaming(0, 3 * half() * t[positions].rows()); }  // angle, cos, sin
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto at = m[positions];
    auto y = m.result();
    for (int64_t r = 0; r < y.rows(); ++r)
      for (int64_t i = 0, position = at.index(r); i < half(); ++i) {
        SinCos turn = sin_cos(static_cast<double>(position) * frequencies.radians[static_cast<size_t>(i)]);
        if constexpr (std::is_same_v<S, Counted>) Counted::flops += 3;
        y.store(r, i, S(static_cast<float>(turn.cos)));
        y.store(r, half() + i, S(static_cast<float>(turn.sin)));
      }
  }
};

// Rotates each pair (i, i + turned / 2) of the first `turned` elements of each head: y0 = x0 cos - x1 sin, y1 = x1 cos + x0 sin.
// What follows them in the head stays as it is.
//                                                x, y: [tokens, heads * head_dim]   turns: [tokens, turned]
struct Rope {
  Value x, turns;
  int head_dim;
  static constexpr auto name = "rope";
  static constexpr bool row_wise = true, keeps_name = true;
  static void members(auto& op, auto&& f) { f("x", op.x), f("turns", op.turns), f("head_dim", op.head_dim); }

  std::vector<Type> infer(const Types& t) const {
    fits(t[x].cols() % head_dim == 0, name, "heads of {} do not divide {}", head_dim, t[x].text());
    fits(t[turns].cols() <= head_dim && t[turns].cols() % 2 == 0, name, "{} turns for heads of {}", t[turns].text(),
         head_dim);
    fits(t[turns].rows() == t[x].rows(), name, "{} turns for {}", t[turns].text(), t[x].text());
    return {{DType::f32, t[x].shape}};
  }
  Count flops(const Types& t) const { return 3 * t[x].elements().scaled(t[turns].cols(), head_dim); }
  Cost cost(const Types& t) const { return t.streaming(0, flops(t)); }
  // Row r as the op makes it: put(c, y_c).
  template <class S, class Put>
  void row(const In<S>& in, const In<S>& turn, int64_t r, Put put) const {
    int64_t half = turn.cols() / 2;
    for (int64_t head = 0; head < in.cols(); head += head_dim) {
      for (int64_t i = 0; i < half; ++i) {
        S c = turn(r, i), s = turn(r, half + i), x0 = in(r, head + i), x1 = in(r, head + half + i);
        put(head + i, mul_add(x0, c, -(x1 * s)));
        put(head + half + i, mul_add(x1, c, x0 * s));
      }
      for (int64_t i = 2 * half; i < head_dim; ++i) put(head + i, in(r, head + i));
    }
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[x], turn = m[turns];
    auto y = m.result();
    for (int64_t r = 0; r < in.rows(); ++r) row(in, turn, r, [&](int64_t c, S v) { y.store(r, c, v); });
  }
};

inline Expr rotations(Expr positions, const RopeFrequencies& frequencies) {
  return emit(positions, Rotations{positions, frequencies});
}
inline Expr rope(Expr x, Expr turns, int head_dim) { return emit(x, Rope{x, turns, head_dim}); }
// Heads turned whole.
inline Expr rope(Expr x, Expr turns) {
  return rope(x, turns, static_cast<int>(turns.program->entry(turns).type.cols()));
}

}  // namespace ridgeline
