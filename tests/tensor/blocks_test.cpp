#include "tensor/blocks.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/error.h"
#include "tensor/half.h"

namespace ridgeline {
namespace {

constexpr DType stored_types[] = {DType::f32, DType::f16, DType::bf16, DType::q8_0, DType::q4_0, DType::q4_1};

std::vector<std::byte> quantize(DType type, const std::vector<float>& x) {
  std::vector<std::byte> out(static_cast<size_t>(bytes_of(type, static_cast<int64_t>(x.size()))));
  quantize_row(type, x.data(), static_cast<int64_t>(x.size()), out.data());
  return out;
}
std::vector<float> dequantize(DType type, const std::vector<std::byte>& bytes, size_t elements) {
  std::vector<float> out(elements);
  dequantize_row(type, bytes.data(), static_cast<int64_t>(elements), out.data());
  return out;
}
template <class Block>
Block first_block(const std::vector<std::byte>& bytes) {
  Block b;
  std::memcpy(&b, bytes.data(), sizeof(b));
  return b;
}

// Half the distance of fp16 numbers around x, denormals included.
float fp16_error(float x) { return std::max(std::fabs(x) * 0x1p-11f, 0x1p-25f); }

TEST(Blocks, nibble_order) {
  std::vector<float> x(32);
  for (int i = 0; i < 32; i++) x[i] = static_cast<float>(i % 16);
  auto b = first_block<BlockQ4_1>(quantize(DType::q4_1, x));
  EXPECT_EQ(b.d, f32_to_f16(1));
  EXPECT_EQ(b.m, 0);
  for (int i = 0; i < 16; i++) EXPECT_EQ(b.q[i], i | i << 4);
  x.assign(32, 0);
  x[3] = -8, x[19] = 7;  // element 19 is the high nibble of byte 3
  auto c = first_block<BlockQ4_0>(quantize(DType::q4_0, x));
  EXPECT_EQ(c.d, f32_to_f16(1));
  EXPECT_EQ(c.q[3], 0 | 15 << 4);
  EXPECT_EQ(c.q[4], 8 | 8 << 4);
}

TEST(Blocks, q4_0_takes_its_sign_from_the_extreme_value) {
  std::vector<float> x(32, 1.0f);
  x[5] = 16, x[6] = -14;
  auto b = first_block<BlockQ4_0>(quantize(DType::q4_0, x));
  EXPECT_EQ(f16_to_f32(b.d), -2.0f);
  EXPECT_EQ(dequantize(DType::q4_0, quantize(DType::q4_0, x), 32)[5], 16.0f);
  EXPECT_EQ(dequantize(DType::q4_0, quantize(DType::q4_0, x), 32)[6], -14.0f);
}

// Values that the type can represent come back as they are, and quantizing them again gives the same bytes.
TEST(Blocks, representable_values_round_trip) {
  std::mt19937 random(1);
  for (DType type : stored_types) {
    size_t n = 32 * 64;
    std::vector<std::byte> bytes(static_cast<size_t>(bytes_of(type, static_cast<int64_t>(n))));
    for (size_t at = 0; at < bytes.size(); at++) bytes[at] = static_cast<std::byte>(random());
    if (is_grouped(type)) {  // a scale that is a power of two, and codes that reach both ends
      for (size_t at = 0, each = static_cast<size_t>(row_of(type).block_bytes); at < bytes.size(); at += each) {
        uint16_t d = f32_to_f16(std::exp2(-static_cast<float>(random() % 8))), m = f32_to_f16(-1.5f);
        std::memcpy(&bytes[at], &d, 2);
        if (type == DType::q8_0) bytes[at + 2] = std::byte{127};
        if (type == DType::q4_1) std::memcpy(&bytes[at + 2], &m, 2), bytes[at + 4] = std::byte{0xf0};
        if (type == DType::q4_0) bytes[at + 2] = std::byte{0x00};
        for (size_t i = at + 2; type == DType::q8_0 && i < at + each; i++) {
          if (bytes[i] == std::byte{0x80}) bytes[i] = std::byte{0x81};  // -128 is read, but never written
        }
      }
    }
    auto x = dequantize(type, bytes, n);
    auto again = quantize(type, x);
    auto y = dequantize(type, again, n);
    for (size_t i = 0; i < n; i++) {
      if (std::isnan(x[i])) continue;
      ASSERT_EQ(std::bit_cast<uint32_t>(x[i]), std::bit_cast<uint32_t>(y[i])) << name_of(type) << " " << i;
    }
    EXPECT_TRUE(again == bytes || !is_grouped(type)) << name_of(type);
  }
}

TEST(Blocks, error_is_at_most_half_a_step) {
  std::mt19937 random(2);
  for (DType type : {DType::q8_0, DType::q4_0, DType::q4_1}) {
    for (float spread : {1e-3f, 1.0f, 1e3f}) {
      std::normal_distribution<float> normal(spread / 4, spread);
      std::vector<float> x(32 * 200);
      for (float& v : x) v = normal(random);
      auto y = dequantize(type, quantize(type, x), x.size());
      for (size_t b = 0; b < x.size(); b += 32) {
        float least = x[b], most = x[b];
        for (size_t i = b; i < b + 32; i++) least = std::min(least, x[i]), most = std::max(most, x[i]);
        float largest = std::max(-least, most), opposite = largest == most ? least : most;
        float step = type == DType::q8_0 ? largest / 127 : type == DType::q4_0 ? largest / 8 : (most - least) / 15;
        // The scale, and q4_1's least, are rounded to fp16; what that costs grows with the code. fp32 adds its last
        // bits.
        float codes = type == DType::q8_0 ? 127 : type == DType::q4_0 ? 8 : 15;
        float slack = codes * fp16_error(step) + (type == DType::q4_1 ? fp16_error(least) : 0) + largest * 0x1p-20f;
        for (size_t i = b; i < b + 32; i++) {
          // q4_0 has codes from -8 to 7: values near the far end lie up to a whole step beyond the last code.
          bool far = type == DType::q4_0 && x[i] * opposite > 0 && std::fabs(x[i]) > 7 * step;
          ASSERT_LE(std::fabs(x[i] - y[i]), (far ? 1.0f : 0.5f) * step + slack) << name_of(type) << " " << x[i];
        }
      }
    }
  }
}

TEST(Blocks, zeros_and_constants) {
  for (DType type : stored_types) {
    for (float v : dequantize(type, quantize(type, std::vector<float>(64, 0.0f)), 64))
      EXPECT_EQ(v, 0.0f) << name_of(type);
    for (float c : {127.0f, -254.0f}) {  // c / 127 and c / 8 are fp16
      for (float v : dequantize(type, quantize(type, std::vector<float>(32, c)), 32)) EXPECT_EQ(v, c) << name_of(type);
    }
  }
}

TEST(Blocks, every_q8_0_code_and_scale_is_one_product) {
  std::vector<std::byte> bytes(34);
  for (uint32_t d = 0; d < 65'536; d += 37) {
    auto half = static_cast<uint16_t>(d);
    std::memcpy(bytes.data(), &half, 2);
    for (int i = 0; i < 32; i++) bytes[2 + i] = static_cast<std::byte>(8 * i + 1);
    auto x = dequantize(DType::q8_0, bytes, 32);
    for (int i = 0; i < 32; i++) {
      float expected = f16_to_f32(half) * static_cast<float>(static_cast<int8_t>(8 * i + 1));
      EXPECT_TRUE(x[i] == expected || (std::isnan(expected) && std::isnan(x[i]))) << d << " " << i;
    }
  }
}

// Infinities, NaN, and values whose scale is no fp16: some bytes come out, no trap, no undefined behaviour.
TEST(Blocks, values_that_do_not_fit) {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (DType type : stored_types) {
    for (float odd : {inf, -inf, nan, 3e38f, -3e38f, 1e-45f, -1e-39f}) {
      std::vector<float> x(32, 1.0f);
      x[7] = odd;
      EXPECT_EQ(quantize(type, x).size(), static_cast<size_t>(bytes_of(type, 32)));
      std::vector<float> all(32, odd);
      EXPECT_EQ(dequantize(type, quantize(type, all), 32).size(), 32u);
    }
  }
  std::vector<float> x(32, 127.0f);
  x[7] = nan;
  EXPECT_TRUE(std::isnan(dequantize(DType::bf16, quantize(DType::bf16, x), 32)[7]));
  EXPECT_EQ(dequantize(DType::q8_0, quantize(DType::q8_0, x), 32)[8], 127.0f);  // a NaN does not spoil its neighbours
}

TEST(Blocks, wrong_use_is_an_internal_error) {
  std::vector<float> x(64);
  std::vector<std::byte> bytes(256);
  EXPECT_THROW(quantize_row(DType::q8_0, x.data(), 33, bytes.data()), Error);
  EXPECT_THROW(quantize_row(DType::i32, x.data(), 32, bytes.data()), Error);
  EXPECT_THROW(dequantize_row(DType::q8, bytes.data(), 32, x.data()), Error);
  EXPECT_THROW(dequantize_row(DType::q4_0, bytes.data(), -32, x.data()), Error);
}

}  // namespace
}  // namespace ridgeline
