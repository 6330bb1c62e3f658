#include "tensor/panels.h"

#include <gtest/gtest.h>

#include <map>

namespace ridgeline {
namespace {

// The table in tensor/panels.h and docs/numerics.md: bits a weight takes in a file, and packed.
TEST(Panels, TakeTheBitsThatAreStated) {
  struct Bits {
    double file, packed;
  };
  const std::map<DType, Bits> stated = {
      {DType::f32, {32, 32}},          {DType::f16, {16, 16}},      {DType::bf16, {16, 16}},
      {DType::q8_0, {8.5, 8.5}},       {DType::q4_0, {4.5, 4.5}},   {DType::q4_1, {5, 5}},
      {DType::q5_0, {5.5, 5.5}},       {DType::q5_1, {6, 6}},       {DType::q2_K, {2.625, 2.625}},
      {DType::q3_K, {3.4375, 3.5625}}, {DType::q4_K, {4.5, 4.625}}, {DType::q5_K, {5.5, 5.625}},
      {DType::q6_K, {6.5625, 6.5625}},
  };
  constexpr int64_t rows = 1024, cols = 2048;
  for (DType t : stored_types) {
    ASSERT_TRUE(stated.contains(t)) << name_of(t);
    double file = static_cast<double>(bytes_of(t, rows * cols)),
           packed = static_cast<double>(packed_bytes(t, rows, cols));
    EXPECT_EQ(8 * file / (rows * cols), stated.at(t).file) << name_of(t);
    EXPECT_EQ(8 * packed / (rows * cols), stated.at(t).packed) << name_of(t);
    EXPECT_LE(packed, 1.2 * file) << name_of(t);
    EXPECT_EQ(record_bytes(t) % 64, 0) << name_of(t);
  }
}

}  // namespace
}  // namespace ridgeline
