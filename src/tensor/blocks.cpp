#include "tensor/blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "tensor/half.h"

namespace ridgeline {
namespace {

// The integer part of x, held to [low, high]. A NaN gives low.
int whole(float x, int low, int high) {
  if (!(x > static_cast<float>(low))) return low;
  if (x >= static_cast<float>(high)) return high;
  return static_cast<int>(x);
}

float inverse(float d) { return d != 0 ? 1.0f / d : 0.0f; }

// The least fp16 number that is not below x >= 0.
uint16_t f16_above(float x) {
  uint16_t h = f32_to_f16(x);
  return f16_to_f32(h) < x ? static_cast<uint16_t>(h + 1) : h;
}

struct Extremes {
  float least = std::numeric_limits<float>::max(), most = -least;
};
Extremes extremes(const float* x, int64_t n) {
  Extremes e;
  for (int64_t i = 0; i < n; ++i) e.least = std::min(e.least, x[i]), e.most = std::max(e.most, x[i]);
  return e;
}

// Blocks of 32 without minimums: the extreme value, with its sign, becomes code 0. q8_0: code 1 or 255.
void encode_symmetric(DType type, const float* x, BlockCodes& c) {
  float largest = 0, extreme = 0;
  for (int64_t i = 0; i < block_elements; ++i)
    if (std::fabs(x[i]) > largest) largest = std::fabs(x[i]), extreme = x[i];
  const Grouping& g = grouping_of(type);
  bool q8 = type == DType::q8_0;
  float d = q8 ? largest / 127 : extreme / static_cast<float>(-g.zero), scale = inverse(d);
  c.d = f32_to_f16(d);
  for (int64_t i = 0; i < block_elements; ++i) {
    int code = q8 ? whole(std::round(x[i] * scale), -127, 127) + g.zero
                  : whole(x[i] * scale + (static_cast<float>(g.zero) + 0.5f), 0, 2 * g.zero - 1);
    c.q[i] = static_cast<uint8_t>(code);
  }
}

// Blocks of 32 with minimums.
void encode_from_minimum(DType type, const float* x, BlockCodes& c) {
  int most_code = (1 << grouping_of(type).bits) - 1;
  auto [least, most] = extremes(x, block_elements);
  float d = (most - least) / static_cast<float>(most_code), scale = inverse(d);
  c.d = f32_to_f16(d), c.m = f32_to_f16(least);
  for (int64_t i = 0; i < block_elements; ++i)
    c.q[i] = static_cast<uint8_t>(whole((x[i] - least) * scale + 0.5f, 0, most_code));
}

// Superblocks. `step` is what each group needs to be covered; d is the least that lets the greatest be written with `most`.
void set_scales(const float* step, int64_t groups, int most, BlockCodes& c) {
  float greatest = 0;
  for (int64_t g = 0; g < groups; ++g) greatest = std::max(greatest, std::fabs(step[g]));
  c.d = f16_above(greatest / static_cast<float>(most));
  float scale = inverse(f16_to_f32(c.d));
  for (int64_t g = 0; g < groups; ++g) {
    int s = whole(std::ceil(std::fabs(step[g]) * scale), 0, most);
    c.scale[g] = static_cast<int8_t>(std::signbit(step[g]) ? -s : s);
  }
}
void set_minimums(const float* lowest, int64_t groups, int most, BlockCodes& c) {
  float greatest = 0;
  for (int64_t g = 0; g < groups; ++g) greatest = std::max(greatest, lowest[g]);
  c.m = f16_above(greatest / static_cast<float>(most));
  float scale = inverse(f16_to_f32(c.m));
  for (int64_t g = 0; g < groups; ++g)
    c.minimum[g] = static_cast<uint8_t>(whole(std::ceil(lowest[g] * scale), 0, most));
}

void encode_superblock(DType type, const float* x, BlockCodes& c) {
  const Grouping& grouping = grouping_of(type);
  int64_t size = grouping.group, groups = superblock_elements / size;
  int most_code = (1 << grouping.bits) - 1;
  float step[16], lowest[16];
  Extremes range[16];
  for (int64_t g = 0; g < groups; ++g) {
    range[g] = extremes(x + g * size, size);
    lowest[g] = std::max(-range[g].least, 0.0f);
  }
  if (grouping.minimums) {
    int most_scale = size == 32 ? 63 : 15;
    set_minimums(lowest, groups, most_scale, c);
    for (int64_t g = 0; g < groups; ++g)
      step[g] = std::max(range[g].most - group_scale(type, c, g).minimum, 0.0f) / static_cast<float>(most_code);
    set_scales(step, groups, most_scale, c);
  } else {  // the side that reaches farther gets the codes below zero, which are one more
    auto below = static_cast<float>(grouping.zero), above = below - 1;
    for (int64_t g = 0; g < groups; ++g) {
      float low = lowest[g], high = std::max(range[g].most, 0.0f);
      step[g] = low >= high ? std::max(low / below, high / above) : -std::max(high / below, low / above);
    }
    set_scales(step, groups, type == DType::q3_K ? 31 : 127, c);
  }
  for (int64_t i = 0; i < superblock_elements; ++i) {
    auto [scale, minimum] = group_scale(type, c, i / size);
    c.q[i] = static_cast<uint8_t>(
        whole(std::round((x[i] - minimum) * inverse(scale)) + static_cast<float>(grouping.zero), 0, most_code));
  }
}

void encode(DType type, const float* x, BlockCodes& c) {
  if (row_of(type).block == superblock_elements) return encode_superblock(type, x, c);
  grouping_of(type).minimums ? encode_from_minimum(type, x, c) : encode_symmetric(type, x, c);
}

void decode(DType type, const BlockCodes& c, float* x) {
  const Grouping& g = grouping_of(type);
  for (int64_t i = 0; i < row_of(type).block; i += g.group) {
    auto [scale, minimum] = group_scale(type, c, i / g.group);
    for (int64_t k = i; k < i + g.group; ++k) {
      float product = scale * static_cast<float>(c.q[k] - g.zero);
      x[k] = g.minimums ? product + minimum : product;
    }
  }
}

void require_blocks(DType type, int64_t elements) {
  require(is_grouped(type) || is_float(type), "{} is no type of stored weights", name_of(type));
  require(elements >= 0 && elements % row_of(type).block == 0, "{} elements are not whole blocks of {}", elements,
          name_of(type));
}

}  // namespace

void dequantize_row(DType type, const std::byte* in, int64_t elements, float* out) {
  require_blocks(type, elements);
  if (type == DType::f32) {
    if (elements) std::memcpy(out, in, static_cast<size_t>(elements) * sizeof(float));
  } else if (is_float(type)) {
    for (int64_t i = 0; i < elements; ++i) {
      uint16_t h;
      std::memcpy(&h, in + 2 * i, 2);
      out[i] = type == DType::f16 ? f16_to_f32(h) : bf16_to_f32(h);
    }
  } else {
    const DTypeRow& row = row_of(type);
    BlockCodes codes;
    for (int64_t i = 0; i < elements; i += row.block, in += row.block_bytes) {
      unpack_block(type, in, codes);
      decode(type, codes, out + i);
    }
  }
}

void quantize_row(DType type, const float* in, int64_t elements, std::byte* out) {
  require_blocks(type, elements);
  if (type == DType::f32) {
    if (elements) std::memcpy(out, in, static_cast<size_t>(elements) * sizeof(float));
  } else if (is_float(type)) {
    for (int64_t i = 0; i < elements; ++i) {
      uint16_t h = type == DType::f16 ? f32_to_f16(in[i]) : f32_to_bf16(in[i]);
      std::memcpy(out + 2 * i, &h, 2);
    }
  } else {
    const DTypeRow& row = row_of(type);
    BlockCodes codes;
    for (int64_t i = 0; i < elements; i += row.block, out += row.block_bytes) {
      encode(type, in + i, codes);
      pack_block(type, codes, out);
    }
  }
}

}  // namespace ridgeline
