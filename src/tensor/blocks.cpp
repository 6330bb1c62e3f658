#include "tensor/blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "tensor/half.h"

namespace ridgeline {
namespace {

constexpr int64_t half_block = block_elements / 2;

// The integer part of x, held to [low, high]. A NaN gives low.
int whole(float x, int low, int high) {
  if (!(x > static_cast<float>(low))) return low;
  if (x >= static_cast<float>(high)) return high;
  return static_cast<int>(x);
}

float inverse(float d) { return d != 0 ? 1.0f / d : 0.0f; }

void decode(const BlockQ8_0& b, float* x) {
  float d = f16_to_f32(b.d);
  for (int64_t i = 0; i < block_elements; i++) x[i] = d * static_cast<float>(b.q[i]);
}
void decode(const BlockQ4_0& b, float* x) {
  float d = f16_to_f32(b.d);
  for (int64_t i = 0; i < half_block; i++) {
    x[i] = d * static_cast<float>((b.q[i] & 15) - 8);
    x[i + half_block] = d * static_cast<float>((b.q[i] >> 4) - 8);
  }
}
void decode(const BlockQ4_1& b, float* x) {
  float d = f16_to_f32(b.d), m = f16_to_f32(b.m);
  for (int64_t i = 0; i < half_block; i++) {
    x[i] = d * static_cast<float>(b.q[i] & 15) + m;
    x[i + half_block] = d * static_cast<float>(b.q[i] >> 4) + m;
  }
}

void encode(const float* x, BlockQ8_0& b) {
  float largest = 0;
  for (int64_t i = 0; i < block_elements; i++) largest = std::max(largest, std::fabs(x[i]));
  float d = largest / 127, scale = inverse(d);
  b.d = f32_to_f16(d);
  for (int64_t i = 0; i < block_elements; i++) b.q[i] = static_cast<int8_t>(whole(std::round(x[i] * scale), -127, 127));
}

// Nibbles of scale * (x[i] - least) + shift, cut down to whole numbers.
void encode_nibbles(const float* x, float least, float scale, float shift, uint8_t* q) {
  auto code = [&](float v) { return whole((v - least) * scale + shift, 0, 15); };
  for (int64_t i = 0; i < half_block; i++) q[i] = static_cast<uint8_t>(code(x[i]) | code(x[i + half_block]) << 4);
}
void encode(const float* x, BlockQ4_0& b) {
  float largest = 0, extreme = 0;  // the extreme value, with its sign, becomes code 0: -8 steps
  for (int64_t i = 0; i < block_elements; i++) {
    if (std::fabs(x[i]) > largest) largest = std::fabs(x[i]), extreme = x[i];
  }
  float d = extreme / -8;
  b.d = f32_to_f16(d);
  encode_nibbles(x, 0, inverse(d), 8.5f, b.q);
}
void encode(const float* x, BlockQ4_1& b) {
  float least = std::numeric_limits<float>::max(), most = -least;
  for (int64_t i = 0; i < block_elements; i++) least = std::min(least, x[i]), most = std::max(most, x[i]);
  float d = (most - least) / 15;
  b.d = f32_to_f16(d);
  b.m = f32_to_f16(least);
  encode_nibbles(x, least, inverse(d), 0.5f, b.q);
}

// The float types are blocks of one element.
struct F32 {
  float x;
};
struct F16 {
  uint16_t x;
};
struct Bf16 {
  uint16_t x;
};
void decode(F32 b, float* x) { *x = b.x; }
void decode(F16 b, float* x) { *x = f16_to_f32(b.x); }
void decode(Bf16 b, float* x) { *x = bf16_to_f32(b.x); }
void encode(const float* x, F32& b) { b.x = *x; }
void encode(const float* x, F16& b) { b.x = f32_to_f16(*x); }
void encode(const float* x, Bf16& b) { b.x = f32_to_bf16(*x); }

// Calls f with a block of the type's layout.
template <class F>
void with_block(DType type, int64_t elements, F f) {
  require(elements >= 0 && elements % row_of(type).block == 0, "{} elements are not whole blocks of {}", elements,
          name_of(type));
  switch (type) {
    case DType::f32: return f(F32{});
    case DType::f16: return f(F16{});
    case DType::bf16: return f(Bf16{});
    case DType::q8_0: return f(BlockQ8_0{});
    case DType::q4_0: return f(BlockQ4_0{});
    case DType::q4_1: return f(BlockQ4_1{});
    default: require(false, "{} is no type of stored weights", name_of(type));
  }
}

}  // namespace

void dequantize_row(DType type, const std::byte* in, int64_t elements, float* out) {
  with_block(type, elements, [&](auto block) {
    for (int64_t i = 0; i < elements; i += row_of(type).block, in += sizeof(block)) {
      std::memcpy(&block, in, sizeof(block));
      decode(block, out + i);
    }
  });
}

void quantize_row(DType type, const float* in, int64_t elements, std::byte* out) {
  with_block(type, elements, [&](auto block) {
    for (int64_t i = 0; i < elements; i += row_of(type).block, out += sizeof(block)) {
      encode(in + i, block);
      std::memcpy(out, &block, sizeof(block));
    }
  });
}

}  // namespace ridgeline
