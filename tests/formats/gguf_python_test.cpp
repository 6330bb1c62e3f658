// A file from the format's own writer and quantizers: tests/data/formats/make_python_gguf.py made it.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "formats/gguf.h"
#include "tensor/blocks.h"

namespace ridgeline {
namespace {

GgufFile python_file() { return GgufFile::open(RIDGELINE_TEST_DATA "/formats/python.gguf"); }

std::vector<float> floats_of(std::span<const std::byte> bytes) {
  std::vector<float> x(bytes.size() / sizeof(float));
  std::memcpy(x.data(), bytes.data(), bytes.size());
  return x;
}

template <class T>
void expect_limits(const GgufMetadata& m, const std::string& name, bool least) {
  using limits = std::numeric_limits<T>;
  EXPECT_EQ(m.get<T>("test." + name), least ? limits::min() : limits::max()) << name;
}

TEST(GgufPython, metadata) {
  GgufFile file = python_file();
  auto& m = file.metadata();
  EXPECT_TRUE(file.warnings().empty());
  EXPECT_EQ(m.get<std::string>("general.architecture"), "llama");
  expect_limits<uint8_t>(m, "u8", false);
  expect_limits<int8_t>(m, "i8", true);
  expect_limits<uint16_t>(m, "u16", false);
  expect_limits<int16_t>(m, "i16", true);
  expect_limits<uint32_t>(m, "u32", false);
  expect_limits<int32_t>(m, "i32", true);
  expect_limits<uint64_t>(m, "u64", false);
  expect_limits<int64_t>(m, "i64", true);
  EXPECT_EQ(m.get<float>("test.f32"), 0.1f);
  EXPECT_EQ(m.get<double>("test.f64"), 0.1);
  EXPECT_TRUE(m.get<bool>("test.bool"));
  EXPECT_EQ(m.get<std::string>("test.string"), "grüße, 世界");
  EXPECT_EQ(m.get_array<std::string>("test.strings"), (std::vector<std::string>{"", "a", "ü"}));
  EXPECT_EQ(m.get_array<int32_t>("test.ints"), (std::vector<int32_t>{1, -2, 3}));
  EXPECT_EQ(m.get_array<float>("test.floats"), (std::vector<float>{0.5f, -0.25f}));
  EXPECT_EQ(m.get_array<bool>("test.bools"), (std::vector<bool>{true, false}));
}

TEST(GgufPython, quantizing_gives_the_same_bytes_and_dequantizing_the_same_bits) {
  GgufFile file = python_file();
  auto x = floats_of(file.data(file.tensor("x")));
  auto elements = static_cast<int64_t>(x.size());
  ASSERT_EQ(file.tensor("x").shape(), (std::vector<int64_t>{32, 64}));
  ASSERT_EQ(elements, 32 * 64);
  for (std::string name : {"F16", "BF16", "Q8_0", "Q4_0", "Q4_1"}) {
    auto& stored = file.tensor("x." + name);
    ASSERT_EQ(stored.type->name, name);
    DType type = file.dtype(stored);
    auto bytes = file.data(stored);
    std::vector<std::byte> ours(bytes.size());
    quantize_row(type, x.data(), elements, ours.data());
    EXPECT_EQ(std::memcmp(ours.data(), bytes.data(), bytes.size()), 0) << name;
    std::vector<float> y(x.size()), theirs = floats_of(file.data(file.tensor("y." + name)));
    dequantize_row(type, bytes.data(), elements, y.data());
    EXPECT_EQ(std::memcmp(y.data(), theirs.data(), y.size() * sizeof(float)), 0) << name;
  }
}

}  // namespace
}  // namespace ridgeline
