#include "base/byte_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace ridgeline {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(ByteReader, reads_little_endian_values_in_order) {
  std::string text(
      "\x01\x02\x03\x04\x05\xff\xff\x00\x00\x80\x3f"
      "abc",
      14);
  ByteReader reader(bytes_of(text), "cut");
  EXPECT_EQ(reader.read<uint8_t>("a"), 1);
  EXPECT_EQ(reader.read<uint32_t>("b"), 0x05040302u);
  EXPECT_EQ(reader.read<int16_t>("c"), -1);
  EXPECT_EQ(reader.read<float>("d"), 1.0f);
  EXPECT_EQ(reader.position(), 11u);
  EXPECT_EQ(reader.text(3, "e"), "abc");
  EXPECT_EQ(reader.left(), 0u);
  EXPECT_TRUE(reader.take(0, "nothing").empty());
}

TEST(ByteReader, says_what_ran_out_and_where) {
  std::string text = "abcdef";
  ByteReader reader(bytes_of(text), "cut");
  reader.take(3, "start");
  reader.within("the key");
  try {
    reader.read<uint64_t>("a length");
    FAIL() << "read beyond the end";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::bad_data);
    EXPECT_EQ(e.id(), "cut");
    EXPECT_NE(std::string(e.what()).find("the key: a length needs 8 bytes at offset 3, but only 3 are left"),
              std::string::npos)
        << e.what();
  }
  EXPECT_EQ(reader.position(), 3u);  // a failed read takes nothing
  EXPECT_EQ(reader.text(3, "rest"), "def");
}

TEST(ByteReader, sizes_near_the_largest_do_not_wrap) {
  std::string text = "abcdef";
  ByteReader reader(bytes_of(text), "cut");
  reader.take(2, "start");
  for (uint64_t n : {~0ull, ~0ull - 1, 1ull << 63, 5ull}) {
    EXPECT_THROW(reader.take(n, "much"), Error);
    EXPECT_THROW(reader.expect(n, "much"), Error);
  }
  EXPECT_NO_THROW(reader.expect(4, "the rest"));
}

}  // namespace
}  // namespace ridgeline
