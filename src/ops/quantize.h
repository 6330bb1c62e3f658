#pragma once
#include "program/program.h"

namespace ridgeline {

// y = x in the type that a matrix product wants of it            x: [rows, cols]   y: [rows, cols]
//   bf16   rounded to nearest even
//   q8     per row and 32 columns: amax < 2^-100 gives scale 0 and zeros, else s = amax / 127, a = rint(x * fl(127 / amax))
struct Quantize {
  Value x;
  DType to;
  static constexpr auto name = "quantize";
  static constexpr bool row_wise = true, keeps_name = true;
  static void members(auto& op, auto&& f) { f("x", op.x), f("to", op.to); }

  std::vector<Type> infer(const Types& t) const {
    fits(to == DType::bf16 || (to == DType::q8 && t[x].cols() % 32 == 0), name, "{} cannot become {}", t[x].text(),
         name_of(to));
    return {{to, t[x].shape}};
  }
  Cost cost(const Types& t) const {  // q8: magnitude and product an element; two quotients and the scaled sum a block
    Count n = t[x].elements();
    return t.streaming(0, to == DType::q8 ? 2 * n + n.scaled(3, 32) : Count(0));
  }
  // Block g of a row whose 32 elements are x(0) .. x(31).
  template <class S, class X>
  static Q8Block block(X x) {
    Lanes<S> top(S(0));
    for (int i = 0; i < 32; ++i) {
      S v = x(i), magnitude = number(v) < 0 ? -v : v;
      top.lane[i % 16] = max(top.lane[i % 16], magnitude);
    }
    S amax = top.greatest();
    bool some = number(amax) >= 0x1p-100f;
    S scale = amax / S(127), inverse = S(127) / amax;
    Q8Block b{some ? number(scale) : 0.0f, 0, {}};
    int sum = 0;
    for (int i = 0; i < 32; ++i) {
      float a = number(x(i) * inverse);
      b.a[i] = some ? to_int8(a) : int8_t{0};
      sum += b.a[i];
    }
    b.scaled_sum = number(S(b.scale) * S(sum));
    return b;
  }
  // rint, saturating; what no int32 can hold, NaN too, becomes -128 as the vector conversion makes it.
  static int8_t to_int8(float x) {
    float n = std::nearbyintf(x);
    if (!(n >= -128.0f) || n >= 0x1p31f) return -128;
    return n > 127.0f ? int8_t{127} : static_cast<int8_t>(n);
  }
  // Row r of y from its fp32 elements.
  template <class S>
  static void store_row(const Out<S>& y, int64_t r, DType to, const std::vector<S>& x) {
    if (to == DType::q8) {
      for (int64_t g = 0; g < y.cols() / 32; ++g)
        y.store_block(r, g, block<S>([&](int i) { return x[static_cast<size_t>(32 * g + i)]; }));
    } else {
      for (int64_t c = 0; c < y.cols(); ++c) y.store(r, c, x[static_cast<size_t>(c)]);
    }
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[x];
    std::vector<S> row(static_cast<size_t>(in.cols()));
    for (int64_t r = 0; r < in.rows(); ++r) {
      for (int64_t c = 0; c < in.cols(); ++c) row[static_cast<size_t>(c)] = in(r, c);
      store_row(m.result(), r, to, row);
    }
  }
};

inline Expr quantize(Expr x, DType to) { return emit(x, Quantize{x, to}); }

}  // namespace ridgeline
