// Where the codes and scales of each grouped type lie in its block. Every type is a plane or two of bits, laid by one rule.
#include <bit>
#include <cstring>

#include "base/error.h"
#include "tensor/blocks.h"
#include "tensor/half.h"

namespace ridgeline {
namespace {

// Of a run of bytes, each byte's fields of `bits` belong to elements `run` apart: field f of byte i to element run f + i. Then
// the next run, for the next elements. `flipped`: bits that are stored the other way round.
template <int bits_, int run_, int flipped_ = 0>
struct Plane {
  static constexpr int bits = bits_, run = run_, mask = (1 << bits) - 1, flipped = flipped_;
  // Calls f(byte, shift, element).
  template <size_t bytes, class B, class F>
  static void each(B (&plane)[bytes], F f) {
    for (size_t byte = 0, first = 0; byte < bytes; byte += run, first += run * 8 / bits)
      for (size_t field = 0; field < 8 / bits; ++field)
        for (size_t i = 0; i < run; ++i) f(plane[byte + i], field * bits, first + field * run + i);
  }
};

// Calls f(plane, its bytes, how far its bits stand to the left in a code).
template <class F>  // int8, 128 less than the code
void planes(BlockQ8_0& b, F f) {
  f(Plane<8, 32, 0x80>(), reinterpret_cast<uint8_t(&)[32]>(b.q), 0);
}
template <class F>
void planes(BlockQ4_0& b, F f) {
  f(Plane<4, 16>(), b.q, 0);
}
template <class F>
void planes(BlockQ4_1& b, F f) {
  f(Plane<4, 16>(), b.q, 0);
}
template <class F>
void planes(BlockQ5_0& b, F f) {
  f(Plane<4, 16>(), b.q, 0), f(Plane<1, 1>(), b.high, 4);
}
template <class F>
void planes(BlockQ5_1& b, F f) {
  f(Plane<4, 16>(), b.q, 0), f(Plane<1, 1>(), b.high, 4);
}
template <class F>
void planes(BlockQ2_K& b, F f) {
  f(Plane<2, 32>(), b.q, 0);
}
template <class F>
void planes(BlockQ3_K& b, F f) {
  f(Plane<2, 32>(), b.q, 0), f(Plane<1, 32>(), b.high, 2);
}
template <class F>
void planes(BlockQ4_K& b, F f) {
  f(Plane<4, 32>(), b.q, 0);
}
template <class F>
void planes(BlockQ5_K& b, F f) {
  f(Plane<4, 32>(), b.q, 0), f(Plane<1, 32>(), b.high, 4);
}
template <class F>
void planes(BlockQ6_K& b, F f) {
  f(Plane<4, 64>(), b.q, 0), f(Plane<2, 32>(), b.high, 4);
}

// Scales and minimums of groups; blocks of 32 have none.
void read_scales(const auto&, BlockCodes&) {}
void write_scales(const BlockCodes&, auto&) {}

void read_scales(const BlockQ2_K& b, BlockCodes& c) {
  for (int g = 0; g < 16; ++g) c.scale[g] = b.scales[g] & 15, c.minimum[g] = b.scales[g] >> 4;
}
void write_scales(const BlockCodes& c, BlockQ2_K& b) {
  for (int g = 0; g < 16; ++g) b.scales[g] = static_cast<uint8_t>(c.scale[g] | c.minimum[g] << 4);
}

void read_scales(const BlockQ3_K& b, BlockCodes& c) {
  for (int g = 0; g < 16; ++g) {
    int low = b.scales[g % 8] >> g / 8 * 4 & 15, high = b.scales[8 + g % 4] >> g / 4 * 2 & 3;
    c.scale[g] = static_cast<int8_t>((low | high << 4) - 32);
  }
}
void write_scales(const BlockCodes& c, BlockQ3_K& b) {
  for (int g = 0; g < 16; ++g) {
    int scale = c.scale[g] + 32;
    b.scales[g % 8] |= static_cast<uint8_t>((scale & 15) << g / 8 * 4);
    b.scales[8 + g % 4] |= static_cast<uint8_t>((scale >> 4) << g / 4 * 2);
  }
}

void read_pairs(const uint8_t* s, BlockCodes& c) {
  for (int g = 0; g < 4; ++g) {
    c.scale[g] = s[g] & 63, c.minimum[g] = s[4 + g] & 63;
    c.scale[4 + g] = static_cast<int8_t>((s[8 + g] & 15) | s[g] >> 6 << 4);
    c.minimum[4 + g] = static_cast<uint8_t>(s[8 + g] >> 4 | s[4 + g] >> 6 << 4);
  }
}
void write_pairs(const BlockCodes& c, uint8_t* s) {
  for (int g = 0; g < 4; ++g) {
    s[g] = static_cast<uint8_t>(c.scale[g] | c.scale[4 + g] >> 4 << 6);
    s[4 + g] = static_cast<uint8_t>(c.minimum[g] | c.minimum[4 + g] >> 4 << 6);
    s[8 + g] = static_cast<uint8_t>((c.scale[4 + g] & 15) | c.minimum[4 + g] << 4);
  }
}
void read_scales(const BlockQ4_K& b, BlockCodes& c) { read_pairs(b.scales, c); }
void read_scales(const BlockQ5_K& b, BlockCodes& c) { read_pairs(b.scales, c); }
void write_scales(const BlockCodes& c, BlockQ4_K& b) { write_pairs(c, b.scales); }
void write_scales(const BlockCodes& c, BlockQ5_K& b) { write_pairs(c, b.scales); }

void read_scales(const BlockQ6_K& b, BlockCodes& c) { std::memcpy(c.scale, b.scales, sizeof b.scales); }
void write_scales(const BlockCodes& c, BlockQ6_K& b) { std::memcpy(b.scales, c.scale, sizeof b.scales); }

// Calls f with an empty block of the type's layout.
template <class F>
void with_block(DType type, F f) {
  switch (type) {
    case DType::q8_0: return f(BlockQ8_0{});
    case DType::q4_0: return f(BlockQ4_0{});
    case DType::q4_1: return f(BlockQ4_1{});
    case DType::q5_0: return f(BlockQ5_0{});
    case DType::q5_1: return f(BlockQ5_1{});
    case DType::q2_K: return f(BlockQ2_K{});
    case DType::q3_K: return f(BlockQ3_K{});
    case DType::q4_K: return f(BlockQ4_K{});
    case DType::q5_K: return f(BlockQ5_K{});
    case DType::q6_K: return f(BlockQ6_K{});
    default: require(false, "{} is no type of weights in groups", name_of(type));
  }
}

}  // namespace

void unpack_block(DType type, const std::byte* from, BlockCodes& codes) {
  with_block(type, [&](auto b) {
    std::memcpy(&b, from, sizeof b);
    codes.d = b.d;
    if constexpr (requires { b.m; }) codes.m = b.m;
    read_scales(b, codes);
    bool first = true;
    planes(b, [&](auto plane, auto& bytes, int shift) {
      plane.each(bytes, [&](uint8_t byte, size_t at, size_t i) {
        auto bits = static_cast<uint8_t>((((byte ^ plane.flipped) >> at) & plane.mask) << shift);
        codes.q[i] = first ? bits : codes.q[i] | bits;
      });
      first = false;
    });
  });
}

void pack_block(DType type, const BlockCodes& codes, std::byte* to) {
  with_block(type, [&](auto b) {
    b.d = codes.d;
    if constexpr (requires { b.m; }) b.m = codes.m;
    write_scales(codes, b);
    planes(b, [&](auto plane, auto& bytes, int shift) {
      plane.each(bytes, [&](uint8_t& byte, size_t at, size_t i) {
        byte |= static_cast<uint8_t>((((codes.q[i] >> shift) & plane.mask) ^ plane.flipped) << at);
      });
    });
    std::memcpy(to, &b, sizeof b);
  });
}

GroupScale group_scale(DType type, const BlockCodes& codes, int64_t g) {
  float d = f16_to_f32(codes.d), m = grouping_of(type).minimums ? f16_to_f32(codes.m) : 0;
  if (row_of(type).block == block_elements) return {d, m};
  return {d * static_cast<float>(codes.scale[g]),
          grouping_of(type).minimums ? -(m * static_cast<float>(codes.minimum[g])) : 0};
}

}  // namespace ridgeline
