// Conversions between fp32 and the 16-bit formats, in plain integer arithmetic: the same bits on every machine.
#pragma once
#include <bit>
#include <cstdint>

namespace ridgeline {

constexpr float bf16_to_f32(uint16_t h) { return std::bit_cast<float>(uint32_t{h} << 16); }

// Round to nearest even. A NaN stays a NaN (its quiet bit is set).
constexpr uint16_t f32_to_bf16(float x) {
  uint32_t u = std::bit_cast<uint32_t>(x);
  if ((u & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>((u >> 16) | 0x40);
  return static_cast<uint16_t>((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

// IEEE 754 binary16, denormals included.
constexpr float f16_to_f32(uint16_t h) {
  uint32_t sign = uint32_t{h & 0x8000u} << 16, exponent = (h >> 10) & 31, mantissa = h & 0x3ff;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000 | (mantissa << 13));
  if (exponent) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  if (!mantissa) return std::bit_cast<float>(sign);
  int shift = std::countl_zero(mantissa) - 21;  // bring the leading one to bit 10
  return std::bit_cast<float>(sign | (static_cast<uint32_t>(113 - shift) << 23) |
                              ((mantissa << (13 + shift)) & 0x7fffff));
}

// Round to nearest even; overflow becomes infinity, underflow a denormal or zero.
constexpr uint16_t f32_to_f16(float x) {
  uint32_t u = std::bit_cast<uint32_t>(x), sign = (u >> 16) & 0x8000, a = u & 0x7fffffff;
  if (a > 0x7f800000) return static_cast<uint16_t>(sign | 0x7e00 | ((a >> 13) & 0x3ff));
  if (a >= 0x47800000) return static_cast<uint16_t>(sign | 0x7c00);
  if (a >= 0x38800000) {  // normal: rebias, then round; a carry into the exponent is right, up to infinity
    uint32_t r = a - 0x38000000;
    return static_cast<uint16_t>(sign | ((r + 0xfff + ((r >> 13) & 1)) >> 13));
  }
  if (a < 0x33000000) return static_cast<uint16_t>(sign);
  int shift = 126 - static_cast<int>(a >> 23);  // 14 .. 24
  uint32_t m = (a & 0x7fffff) | 0x800000, half = 1u << (shift - 1), r = m >> shift, rest = m & ((1u << shift) - 1);
  return static_cast<uint16_t>(sign | (r + (rest > half || (rest == half && (r & 1)))));
}

}  // namespace ridgeline
