// Reference evaluations are written once over a scalar S with a few named primitives. float runs them: that is the definition
// of every arithmetic (docs/numerics.md). Counted runs them too and counts what is done.
//   mul_add 2 FLOPs; add, sub, mul, div, max, exp2, rsqrt, sin, cos 1 each; fold(...) 0: rearranging partial sums is
//   bookkeeping of one arithmetic, not work of the model, and is reported apart.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "base/functions.h"

namespace ridgeline {

inline float mul_add(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline float max(float a, float b) { return a > b ? a : b; }  // b where unordered, as the vector instructions do
inline float exp2(float x) { return exp2_f32(x); }
inline float exp(float x) { return exp_f32(x); }
inline float rsqrt(float x) { return 1.0f / std::sqrt(x); }  // IEEE square root and division
inline float number(float x) { return x; }

// A float that counts what is done to it, per thread.
struct Counted {
  float v = 0;
  static inline thread_local int64_t flops = 0, folded = 0;
  Counted() = default;
  template <class T>
    requires std::is_arithmetic_v<T>
  explicit Counted(T x) : v(static_cast<float>(x)) {}
  static Counted did(int n, float x) { return flops += n, Counted(x); }
  friend Counted operator+(Counted a, Counted b) { return did(1, a.v + b.v); }
  friend Counted operator-(Counted a, Counted b) { return did(1, a.v - b.v); }
  friend Counted operator*(Counted a, Counted b) { return did(1, a.v * b.v); }
  friend Counted operator/(Counted a, Counted b) { return did(1, a.v / b.v); }
  Counted operator-() const { return Counted(-v); }  // a sign bit, no arithmetic
};
inline Counted mul_add(Counted a, Counted b, Counted c) { return Counted::did(2, mul_add(a.v, b.v, c.v)); }
inline Counted max(Counted a, Counted b) { return Counted::did(1, max(a.v, b.v)); }
inline Counted exp2(Counted a) { return Counted::did(1, exp2(a.v)); }
inline Counted exp(Counted a) { return Counted::did(1, exp(a.v)); }
inline Counted rsqrt(Counted a) { return Counted::did(1, rsqrt(a.v)); }
inline float number(Counted x) { return x.v; }

template <class S, class F>
auto fold(F f) {
  if constexpr (std::is_same_v<S, Counted>) {
    int64_t before = Counted::flops;
    auto result = f();
    Counted::folded += Counted::flops - before;
    Counted::flops = before;
    return result;
  } else {
    return f();
  }
}

// Sixteen partial results, lane = index modulo 16, brought together by +8, +4, +2, +1: the order of every reduction.
template <class S>
struct Lanes {
  S lane[16];
  explicit Lanes(S start) {
    for (S& l : lane) l = start;
  }
  template <class F>
  S folded(F join) const {
    S t[16];
    for (int i = 0; i < 16; ++i) t[i] = lane[i];
    for (int h = 8; h; h /= 2)
      for (int i = 0; i < h; ++i) t[i] = join(t[i], t[i + h]);
    return t[0];
  }
  S sum() const {
    return fold<S>([&] { return folded([](S a, S b) { return a + b; }); });
  }
  S greatest() const {
    return fold<S>([&] { return folded([](S a, S b) { return max(a, b); }); });
  }
};

}  // namespace ridgeline
