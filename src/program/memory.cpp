#include "program/memory.h"

#include "base/error.h"

namespace ridgeline {
namespace {

std::byte* address(const Tensor& t, int64_t r, int64_t c) {
  if (t.layout == Layout::keys || t.layout == Layout::values) return t.data + kv_offset(t, r, c);
  return t.data + bytes_of(t.dtype, r * t.cols + c);
}

template <class T>
T load(const std::byte* from) {
  T x;
  std::memcpy(&x, from, sizeof x);
  return x;
}

}  // namespace

float load_element(const Tensor& t, int64_t r, int64_t c) {
  if (t.layout == Layout::panels) return panel_element(t.dtype, t.data, t.cols, r, c);
  switch (t.dtype) {
    case DType::f32: return load<float>(address(t, r, c));
    case DType::f16: return f16_to_f32(load<uint16_t>(address(t, r, c)));
    case DType::bf16: return bf16_to_f32(load<uint16_t>(address(t, r, c)));
    case DType::q8: {
      const Q8Block& b = t.row_as<Q8Block>(r)[c / 32];
      return b.scale * static_cast<float>(b.a[c % 32]);
    }
    default: fail(ExitCode::internal, "internal", "no element access to {}", name_of(t.dtype));
  }
}

void store_element(const Tensor& t, int64_t r, int64_t c, float x) {
  if (t.dtype == DType::f32) {
    std::memcpy(address(t, r, c), &x, 4);
    return;
  }
  require(t.dtype == DType::bf16 || t.dtype == DType::f16, "no element store to {}", name_of(t.dtype));
  uint16_t h = t.dtype == DType::bf16 ? f32_to_bf16(x) : f32_to_f16(x);
  std::memcpy(address(t, r, c), &h, 2);
}

}  // namespace ridgeline
