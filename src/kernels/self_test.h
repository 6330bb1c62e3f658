// What the kernels rely on beyond the instruction set's manual: asked of the processor once, at start-up, with flush-to-zero and
// denormals-are-zero set as kernels run. Each check returns what differs; nothing: an empty text.
#pragma once
#include <string>

#include "kernels/vector.h"
#include "tensor/half.h"

namespace ridgeline {
namespace {

// One value in all lanes, computed at run time whatever the compiler knows.
inline F32x16 runtime(float x) {
  volatile float hidden = x;
  return F32x16(hidden);
}
inline bool equal(F32x16 a, F32x16 b) {
  float x[16], y[16];
  store(x, a), store(y, b);
  return std::memcmp(x, y, sizeof x) == 0;
}

inline std::string check_arithmetic() {
  F32x16 x = runtime(1 + 0x1p-12f), least = runtime(0x1p-126f), nan = runtime(__builtin_nanf("")), one = runtime(1);
  if (!equal(mul_add(x, x, runtime(-1 - 0x1p-11f)), F32x16(0x1p-24f))) return "a fused multiply-add rounds its product";
  if (!equal(least * runtime(0.5f), F32x16(0.0f))) return "a denormal result is not flushed to zero";
  if (!equal(runtime(0x1p-127f) * runtime(0x1p30f), F32x16(0.0f))) return "a denormal operand is not taken as zero";
  if (!equal(max(nan, one), one) || !equal(min(nan, one), one))
    return "the maximum of a NaN and a number is not the second";
  if (!equal(from_int8(to_int8(nan)), F32x16(-128.0f))) return "a NaN does not become the least integer";
  return "";
}

inline std::string check_halves() {
  constexpr uint16_t halves[16] = {0x0000, 0x8000, 0x0001, 0x83ff, 0x0400, 0x3c00, 0xbc01, 0x7bff,
                                   0xfbff, 0x7c00, 0xfc00, 0x0200, 0x3555, 0x8001, 0x03ff, 0x4248};
  constexpr auto expected = [&] {
    struct {
      float x[16];
    } t{};
    for (int i = 0; i < 16; ++i) t.x[i] = f16_to_f32(halves[i]);
    return t;
  }();
  if (!equal(from_f16(load_halves(halves)), load(expected.x))) return "fp16 values are not converted exactly";
  return "";
}

}  // namespace
}  // namespace ridgeline
