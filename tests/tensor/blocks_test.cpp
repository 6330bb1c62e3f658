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

bool is_superblock(DType t) { return row_of(t).block == superblock_elements; }

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

// A block of random codes in which every group reaches both ends of its codes, and some group the greatest scale and minimum: one
// that the quantizer would make.
BlockCodes natural_block(DType type, std::mt19937& random) {
  const Grouping& g = grouping_of(type);
  auto below = [&](int n) { return static_cast<int>(random() % static_cast<uint32_t>(n)); };
  BlockCodes c{};
  c.d = f32_to_f16(std::exp2(-static_cast<float>(below(8)))), c.m = f32_to_f16(is_superblock(type) ? 0.25f : -1.5f);
  int most = g.group == 32 ? 63 : g.minimums ? 15 : type == DType::q3_K ? 31 : 127;
  for (int i = 0; i < 16; ++i) {
    int sign = g.minimums || below(2) ? 1 : -1;
    c.scale[i] = static_cast<int8_t>(sign * (i == 3 ? most : 1 + below(most)));
    c.minimum[i] = static_cast<uint8_t>(!g.minimums ? 0 : i == 5 ? most : below(most + 1));
  }
  int codes = 1 << g.bits, least = type == DType::q8_0 ? 1 : 0;  // -128 is read, but never written
  for (int i = 0; i < row_of(type).block; ++i) c.q[i] = static_cast<uint8_t>(least + below(codes - least));
  for (int i = 0; i < row_of(type).block; i += static_cast<int>(g.group))
    c.q[i] = static_cast<uint8_t>(least), c.q[i + 1] = static_cast<uint8_t>(codes - 1);
  return c;
}

// Values that the type can represent come back as they are, and quantizing them again gives the same bytes.
TEST(Blocks, representable_values_round_trip) {
  std::mt19937 random(1);
  for (DType type : stored_types) {
    size_t n = 256 * 32;
    std::vector<std::byte> bytes(static_cast<size_t>(bytes_of(type, static_cast<int64_t>(n))));
    for (size_t at = 0; at < bytes.size(); at++) bytes[at] = static_cast<std::byte>(random());
    for (size_t at = 0, each = static_cast<size_t>(row_of(type).block_bytes); is_grouped(type) && at < bytes.size();
         at += each)
      pack_block(type, natural_block(type, random), &bytes[at]);
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
  for (DType type : {DType::q8_0, DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1}) {
    const Grouping& grouping = grouping_of(type);
    for (float spread : {1e-3f, 1.0f, 1e3f}) {
      std::normal_distribution<float> normal(spread / 4, spread);
      std::vector<float> x(32 * 200);
      for (float& v : x) v = normal(random);
      auto y = dequantize(type, quantize(type, x), x.size());
      for (size_t b = 0; b < x.size(); b += 32) {
        float least = x[b], most = x[b];
        for (size_t i = b; i < b + 32; i++) least = std::min(least, x[i]), most = std::max(most, x[i]);
        float largest = std::max(-least, most), opposite = largest == most ? least : most;
        // Codes on the greatest side of zero, or above the minimum.
        float codes = static_cast<float>(grouping.minimums     ? (1 << grouping.bits) - 1
                                         : type == DType::q8_0 ? 127
                                                               : grouping.zero);
        float step = (grouping.minimums ? most - least : largest) / codes;
        // The scale, and the minimum, are rounded to fp16; what that costs grows with the code. fp32 adds its last bits.
        float slack = codes * fp16_error(step) + (grouping.minimums ? fp16_error(least) : 0) + largest * 0x1p-20f;
        for (size_t i = b; i < b + 32; i++) {
          // q4_0 has codes from -8 to 7, q5_0 from -16 to 15: values near the far end lie up to a whole step beyond the last.
          bool far =
              !grouping.minimums && type != DType::q8_0 && x[i] * opposite > 0 && std::fabs(x[i]) > (codes - 1) * step;
          ASSERT_LE(std::fabs(x[i] - y[i]), (far ? 1.0f : 0.5f) * step + slack) << name_of(type) << " " << x[i];
        }
      }
    }
  }
}

// Superblocks: within half a step of the group, and steps no greater than quantize_row states.
TEST(Blocks, superblocks_err_by_half_a_step_at_most) {
  std::mt19937 random(3);
  for (DType type : {DType::q2_K, DType::q3_K, DType::q4_K, DType::q5_K, DType::q6_K}) {
    const Grouping& grouping = grouping_of(type);
    auto size = static_cast<size_t>(grouping.group);
    float codes = static_cast<float>(grouping.minimums ? (1 << grouping.bits) - 1 : grouping.zero - 1);
    float scales = size == 32 ? 63 : grouping.minimums ? 15 : type == DType::q3_K ? 31 : 127;
    for (float spread : {1e-3f, 1.0f, 1e3f})
      for (float shift : {0.0f, 1.0f, -3.0f}) {
        std::normal_distribution<float> normal(shift * spread, spread);
        std::vector<float> x(superblock_elements * 20);
        for (size_t i = 0; i < x.size(); ++i) x[i] = normal(random) * (i / size % 7 == 0 ? 0.01f : 1.0f);
        auto bytes = quantize(type, x);
        auto y = dequantize(type, bytes, x.size());
        for (size_t block = 0; block < x.size(); block += superblock_elements) {
          BlockCodes c{};
          unpack_block(type, &bytes[block / superblock_elements * static_cast<size_t>(row_of(type).block_bytes)], c);
          float lowest[16] = {}, highest[16] = {}, greatest_minimum = 0, greatest_step = 0;
          size_t groups = superblock_elements / size;
          for (size_t i = 0; i < superblock_elements; ++i) {
            float v = x[block + i];
            lowest[i / size] = std::max(lowest[i / size], -v), highest[i / size] = std::max(highest[i / size], v);
          }
          for (size_t g = 0; g < groups; ++g) greatest_minimum = std::max(greatest_minimum, lowest[g]);
          float above = 1 + 0x1p-10f;  // an fp16 number rounded up
          auto step_within = [&](size_t g) {
            if (!grouping.minimums) return std::max(lowest[g], highest[g]) / codes;
            float group_most = highest[g], covered = lowest[g] + greatest_minimum / scales * above + 0x1p-24f;
            return (group_most + covered) / codes;
          };
          for (size_t g = 0; g < groups; ++g) greatest_step = std::max(greatest_step, step_within(g));
          for (size_t g = 0; g < groups; ++g) {
            float step = std::fabs(group_scale(type, c, static_cast<int64_t>(g)).scale);
            float last_bits = (lowest[g] + highest[g]) * 0x1p-20f;
            ASSERT_LE(step, step_within(g) + greatest_step / scales * above + 0x1p-24f + last_bits) << name_of(type);
            for (size_t i = block + g * size; i < block + (g + 1) * size; ++i)
              ASSERT_LE(std::fabs(x[i] - y[i]), step / 2 + last_bits) << name_of(type) << " " << x[i] << " " << y[i];
          }
        }
      }
  }
}

TEST(Blocks, zeros_and_constants) {
  for (DType type : stored_types) {
    for (float v : dequantize(type, quantize(type, std::vector<float>(512, 0.0f)), 512))
      EXPECT_EQ(v, 0.0f) << name_of(type);
    if (is_superblock(type)) continue;   // constants come back within half a step, as everything
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
      std::vector<float> x(256, 1.0f);
      x[7] = odd;
      EXPECT_EQ(quantize(type, x).size(), static_cast<size_t>(bytes_of(type, 256)));
      std::vector<float> all(256, odd);
      EXPECT_EQ(dequantize(type, quantize(type, all), 256).size(), 256u);
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
  EXPECT_THROW(quantize_row(DType::q4_K, x.data(), 32, bytes.data()), Error);
  EXPECT_THROW(quantize_row(DType::i32, x.data(), 32, bytes.data()), Error);
  EXPECT_THROW(dequantize_row(DType::q8, bytes.data(), 32, x.data()), Error);
  EXPECT_THROW(dequantize_row(DType::q4_0, bytes.data(), -32, x.data()), Error);
}

}  // namespace
}  // namespace ridgeline
