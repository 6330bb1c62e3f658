// Malformed GGUF containers, by the rows G01 .. G26 of the bad-input catalogue. Every one is refused with exit code 65.
#include <gtest/gtest.h>

#include <string>

#include "base/limits.h"
#include "base/refused.h"
#include "formats/cpu_time.h"
#include "formats/gguf.h"
#include "formats/gguf_image.h"

namespace ridgeline {
namespace {

using namespace gguf_image;
using gguf_image::Tensor;  // not the one of tensor/tensor.h
using Words = std::initializer_list<std::string_view>;

::testing::AssertionResult bad(std::string_view id, const std::string& bytes, Words words = {}) {
  return refused(ExitCode::bad_data, id, words, [&] { GgufFile::parse(as_bytes(bytes)); });
}
::testing::AssertionResult bad(std::string_view id, const Image& image, Words words = {}) {
  return bad(id, image.bytes(), words);
}
::testing::AssertionResult good(const Image& image) {
  std::string bytes = image.bytes();
  try {
    GgufFile::parse(as_bytes(bytes));
  } catch (const Error& e) { return ::testing::AssertionFailure() << e.id() << ": " << e.what(); }
  return ::testing::AssertionSuccess();
}

Image with(Entry entry) {
  Image image = minimal();
  image.entries.push_back(std::move(entry));
  return image;
}
Image with(Tensor tensor) {
  Image image = minimal();
  image.tensors.push_back(std::move(tensor));
  return image;
}
Image with_dims(std::vector<uint64_t> ne, uint32_t type = GGML_F32) { return with(Tensor{"x", std::move(ne), type}); }

TEST(GgufRefuse, G01_empty_and_very_short) {
  std::string whole = minimal().bytes();
  for (size_t n : {0, 1, 3, 4, 7, 8, 23}) EXPECT_TRUE(bad("gguf_truncated", whole.substr(0, n))) << n;
  EXPECT_TRUE(bad("gguf_truncated", std::string(), {"empty"}));
}

TEST(GgufRefuse, G02_every_prefix) {
  std::string whole = minimal().bytes();
  ASSERT_TRUE(good(minimal()));
  ASSERT_GT(whole.size(), 900u);
  for (size_t n = 0; n < whole.size(); n++) EXPECT_TRUE(bad("gguf_truncated", whole.substr(0, n))) << n;
}

// What is still a file must be one whose every extent lies inside it, and whose every value can be read.
TEST(GgufRefuse, G03_every_flipped_bit_of_the_header) {
  std::string whole = minimal().bytes();
  size_t refusals = 0, bits = minimal().header().size() * 8;
  for (size_t bit = 0; bit < bits; bit++) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    try {
      GgufFile file = GgufFile::parse(as_bytes(flipped));
      for (auto& e : file.metadata().entries()) EXPECT_FALSE(file.metadata().show(e).empty());
      for (auto& t : file.tensors()) {
        EXPECT_LE(t.offset + t.bytes, flipped.size());
        if (t.type->dtype) { EXPECT_EQ(file.data(t).size(), t.bytes); }
      }
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::bad_data) << e.what();
      refusals++;
    }
  }
  EXPECT_GT(refusals, bits / 2);  // flips in names and numbers may be harmless; those in lengths and types may not
}

TEST(GgufRefuse, G04_other_magic) {
  auto magic = [](std::string m) {
    Image image = minimal();
    image.magic = m;
    return image;
  };
  EXPECT_TRUE(bad("bad_magic", magic("FUGG"), {"big-endian"}));
  EXPECT_TRUE(bad("bad_magic", magic("GGML"), {"GGML", "before GGUF"}));
  EXPECT_TRUE(bad("bad_magic", magic("GGJT"), {"GGJT", "before GGUF"}));
  EXPECT_TRUE(bad("bad_magic", magic("ggla"), {"GGLA", "before GGUF"}));
  EXPECT_TRUE(bad("bad_magic", magic("tjgg"), {"GGJT"}));
  EXPECT_TRUE(bad("bad_magic", magic("GGUX"), {"begins with \"GGUX\""}));
  EXPECT_TRUE(bad("bad_magic", std::string("\x1b[2J\0\0\0\0", 8), {"\\x1b"}));  // never sent to a terminal as it is
  EXPECT_TRUE(bad("bad_magic", std::string("PK\x03\x04"), {"zip"}));
  EXPECT_TRUE(bad("bad_magic", std::string("<!DOCTYPE html>"), {"web page"}));
  EXPECT_TRUE(bad("bad_magic", std::string("\x10\0\0\0\0\0\0\0{\"a\":{}}", 17), {"safetensors"}));
}

TEST(GgufRefuse, G04_lfs_pointer) {
  EXPECT_TRUE(bad("lfs_pointer",
                  std::string("version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 98362432\n"),
                  {"Git LFS pointer", "git lfs pull"}));
}

TEST(GgufRefuse, G05_other_version) {
  auto version = [](uint32_t v) {
    Image image = minimal();
    image.version = v;
    return image;
  };
  EXPECT_TRUE(bad("gguf_version", version(0), {"2 or 3", "found 0"}));
  EXPECT_TRUE(bad("gguf_version", version(1), {"convert the model again"}));
  EXPECT_TRUE(bad("gguf_version", version(4), {"newer"}));
  EXPECT_TRUE(bad("gguf_version", version(0x03000000), {"big-endian"}));
  EXPECT_TRUE(bad("gguf_version", version(0x02000000), {"big-endian"}));
}

TEST(GgufRefuse, G06_metadata_count) {
  for (uint64_t n : {~0ull, 1ull << 63, 65'537ull}) {
    Image image = minimal();
    image.n_kv = n;
    EXPECT_TRUE(bad("gguf_limit", image, {"n_kv", std::to_string(n), "exceeds 65536"}));
  }
}

TEST(GgufRefuse, G07_tensor_count) {
  for (uint64_t n : {~0ull, 1ull << 32, (1ull << 60) + 1, 1'048'577ull}) {  // 2^60 structs of 16 bytes and more wrap
    Image image = minimal();
    image.n_tensors = n;
    EXPECT_TRUE(bad("gguf_limit", image, {"n_tensors", std::to_string(n)}));
  }
  Image image = minimal();
  image.n_tensors = 1'048'576;  // allowed, but not in a file of this size
  EXPECT_TRUE(bad("gguf_truncated", image, {"n_tensors"}));
}

TEST(GgufRefuse, G08_fewer_entries_than_counted) {
  Image image = minimal();
  image.n_kv = image.entries.size() + 1;
  std::string bytes = image.bytes();
  EXPECT_THROW(GgufFile::parse(as_bytes(bytes)), Error);
  image.tensors.clear();
  EXPECT_TRUE(bad("gguf_truncated", image));
}

TEST(GgufRefuse, G09_key_length) {
  for (uint64_t n : {~0ull, 1ull << 30, 65'536ull, 257ull}) {
    EXPECT_TRUE(bad("gguf_limit", with(Entry{"k", U8, "\1", n}), {"key", std::to_string(n), "256"}));
  }
  EXPECT_TRUE(bad("gguf_name", with(Entry{"", U8, "\1", {}}), {"empty"}));
  EXPECT_TRUE(good(with(Entry{std::string(256, 'k'), U8, "\1", {}})));
}

TEST(GgufRefuse, G10_key_bytes_and_duplicates) {
  for (std::string key : {std::string("a\0b", 3), std::string("a\nb"), std::string("a\x80"), std::string("a b"),
                          std::string("a\x7f"), std::string("\xc3\xa9"), std::string("general.name\0x", 14)}) {
    EXPECT_TRUE(bad("gguf_name", with(Entry{key, U8, "\1", {}}), {"printable ASCII"}));
  }
  EXPECT_TRUE(
      bad("gguf_duplicate_key", with(Entry{"general.name", STRING, string("tiny"), {}}), {"general.name", "twice"}));
}

TEST(GgufRefuse, G11_value_types) {
  for (uint32_t type : {13u, 1u << 31, 0xffffffffu}) {
    EXPECT_TRUE(
        bad("gguf_value_type", with(Entry{"x", type, raw<uint64_t>(0), {}}), {std::to_string(type), "0 to 12"}));
    EXPECT_TRUE(bad("gguf_value_type", with(Entry{"x", ARRAY, array(type, 1, raw<uint64_t>(0)), {}})));
  }
  EXPECT_TRUE(bad("gguf_value_type", with(Entry{"x", ARRAY, array(ARRAY, 1, array(U8, 1, "\1")), {}}),
                  {"x", "array of arrays"}));
}

TEST(GgufRefuse, G12_array_counts) {
  EXPECT_TRUE(bad("gguf_limit", with(Entry{"x", ARRAY, array(U8, 1ull << 63, ""), {}})));
  EXPECT_TRUE(bad("gguf_limit", with(Entry{"x", ARRAY, array(U64, (1ull << 61) + 1, raw<uint64_t>(0)), {}})));
  EXPECT_TRUE(bad("gguf_limit", with(Entry{"x", ARRAY, array(STRING, 1ull << 30, string("a")), {}})));
  EXPECT_TRUE(bad("gguf_truncated", with(Entry{"x", ARRAY, array(STRING, 1ull << 24, string("a")), {}}), {"x"}));
  EXPECT_TRUE(bad("gguf_truncated", with(Entry{"x", ARRAY, array(F64, 1ull << 24, ""), {}}), {"x"}));
}

TEST(GgufRefuse, G13_string_lengths) {
  EXPECT_TRUE(bad("gguf_truncated", with(Entry{"x", STRING, raw<uint64_t>(4096) + "short", {}}), {"x", "4096"}));
  EXPECT_TRUE(bad("gguf_limit", with(Entry{"x", STRING, raw<uint64_t>(1ull << 30) + "short", {}})));
  EXPECT_TRUE(bad("gguf_limit", with(Entry{"x", STRING, raw(~0ull), {}})));
  EXPECT_TRUE(bad("gguf_limit", with(Entry{"x", ARRAY, array(STRING, 2, string("a") + raw(~0ull)), {}})));
}

TEST(GgufRefuse, G14_bools) {
  for (auto b : {uint8_t{2}, uint8_t{255}}) {
    EXPECT_TRUE(bad("gguf_bool", with(Entry{"x", BOOL, raw(b), {}}), {"x"}));
    EXPECT_TRUE(bad("gguf_bool", with(Entry{"x", ARRAY, array(BOOL, 3, "\1\1" + raw(b)), {}}), {"x"}));
  }
}

TEST(GgufRefuse, G15_alignment) {
  for (uint32_t n : {0u, 1u, 2u, 3u, 4u, 13u, 48u, 8'192u, 1u << 31}) {
    EXPECT_TRUE(
        bad("gguf_alignment", with(Entry{"general.alignment", U32, raw(n), {}}), {std::to_string(n), "8 to 4096"}));
  }
  EXPECT_TRUE(bad("gguf_alignment", with(Entry{"general.alignment", I32, raw<int32_t>(32), {}}), {"INT32", "UINT32"}));
  EXPECT_TRUE(bad("gguf_alignment", with(Entry{"general.alignment", U64, raw<uint64_t>(32), {}}), {"UINT64"}));
  EXPECT_TRUE(bad("gguf_alignment", with(Entry{"general.alignment", STRING, string("32"), {}}), {"STRING"}));
  EXPECT_TRUE(
      bad("gguf_alignment", with(Entry{"general.alignment", ARRAY, array(U32, 1, raw(32u)), {}}), {"array of UINT32"}));
}

TEST(GgufRefuse, G17_ranks) {
  for (uint32_t rank : {0u, 5u, 0xffffffffu}) {
    EXPECT_TRUE(bad("gguf_dimensions", with(Tensor{.name = "x", .ne = {32, 1, 1, 1, 1}, .bytes = 128, .rank = rank}),
                    {"x", std::to_string(rank), "1 to 4"}));
  }
}

TEST(GgufRefuse, G18_dimensions) {
  for (size_t position = 0; position < 4; position++) {
    std::vector<uint64_t> ne = {32, 2, 2, 2};
    ne[position] = 0;
    EXPECT_TRUE(bad("gguf_dimensions", with_dims(ne), {"x", "at least 1"})) << position;
  }
  constexpr uint64_t most = INT64_MAX;
  EXPECT_TRUE(bad("gguf_dimensions", with_dims({~0ull})));
  EXPECT_TRUE(bad("gguf_dimensions", with_dims({most, 2, 1, 1})));
  EXPECT_TRUE(bad("gguf_dimensions", with_dims({(1ull << 42) + 1, (1ull << 22) - 1})));
  EXPECT_TRUE(bad("gguf_dimensions", with_dims({1ull << 32, 1ull << 32})));
  EXPECT_TRUE(bad("gguf_dimensions", with_dims({1ull << 21, 1ull << 21, 1ull << 22, 32})));
  EXPECT_TRUE(bad("gguf_dimensions", with_dims({4'194'305, 4'194'305, 211'106'198'978'564})));  // wraps to 4
}

TEST(GgufRefuse, G19_rows_that_are_not_whole_blocks) {
  EXPECT_TRUE(bad("gguf_dimensions", with_dims({33}, GGML_Q4_0), {"x", "33", "Q4_0", "32"}));
  EXPECT_TRUE(bad("gguf_dimensions", with_dims({16, 2}, GGML_Q8_0)));  // 32 elements, but not in a row
  EXPECT_TRUE(bad("gguf_dimensions", with_dims({128}, GGML_Q4_K), {"Q4_K", "256"}));
}

TEST(GgufRefuse, G20_tensor_types) {
  for (uint32_t id : {4u, 5u, 31u, 32u, 33u, 36u, 37u, 38u}) {
    EXPECT_TRUE(bad("gguf_tensor_type", with_dims({32}, id), {"x", "removed", find_ggml_type(id)->name}));
  }
  for (uint32_t id : {43u, 1'000u, ~0u})
    EXPECT_TRUE(bad("gguf_tensor_type", with_dims({32}, id), {"unknown", std::to_string(id)}));
}

TEST(GgufRefuse, G21_byte_counts_that_wrap) {
  constexpr uint64_t most = INT64_MAX;
  EXPECT_TRUE(bad("gguf_dimensions", with_dims({1ull << 62})));                       // 2^64 bytes of F32
  EXPECT_TRUE(bad("gguf_dimensions", with_dims({(1ull << 62) + 8})));                 // 32 bytes after wrapping
  EXPECT_TRUE(bad("gguf_truncated", with_dims({most / 32 * 32}, GGML_Q8_0), {"x"}));  // 2^63 * 34 / 32 still fits
  Image image = with_dims({most / 32 * 32}, GGML_Q8_0);                               // ... but two of them do not
  image.tensors.push_back({.name = "y", .ne = {most / 32 * 32}, .type = GGML_Q8_0});
  image.tensors.back().offset =
      image.padded(most / 32 * 34) + image.padded(20) + image.padded(54) + image.padded(34) + 32;
  EXPECT_TRUE(bad("gguf_offset", image, {"y", "2^64"}));
}

TEST(GgufRefuse, G22_offsets) {
  auto second_at = [](uint64_t offset) {
    Image image = minimal();
    image.tensors[1].offset = offset;
    return image;
  };
  EXPECT_TRUE(good(second_at(32)));
  EXPECT_TRUE(bad("gguf_offset", second_at(33), {"blk.0.a.weight", "multiple of 32"}));
  EXPECT_TRUE(bad("gguf_offset", second_at(~0ull - 31), {"expected byte 32"}));
  EXPECT_TRUE(bad("gguf_offset", second_at(0), {"overlaps"}));
  EXPECT_TRUE(bad("gguf_offset", second_at(64), {"hole"}));
  Image overlap = minimal();
  overlap.alignment = 8;
  overlap.entries.push_back({"general.alignment", U32, raw(8u), {}});
  ASSERT_TRUE(good(overlap));
  overlap.tensors[1].offset = 16;  // the first has 20 bytes
  EXPECT_TRUE(bad("gguf_offset", overlap, {"overlaps"}));
  Image descending;
  descending.tensors = {{.name = "a", .ne = {8}, .bytes = 32, .offset = 32},
                        {.name = "b", .ne = {8}, .bytes = 32, .offset = 0}};
  EXPECT_TRUE(bad("gguf_offset", descending));
}

TEST(GgufRefuse, G23_last_tensor_cut_short) {
  std::string whole = minimal().bytes();
  whole.pop_back();
  EXPECT_TRUE(bad("gguf_truncated", whole,
                  {"tensor blk.0.c.weight (F16, 4 x 2 x 2 x 1) should hold 32 bytes", "the file ends 1 bytes early",
                   "Likely an unfinished download", "sha256"}));
}

TEST(GgufRefuse, G24_tensor_names) {
  EXPECT_TRUE(bad("gguf_duplicate_tensor", with(Tensor{.name = "norm.weight", .ne = {8}, .bytes = 32}),
                  {"norm.weight", "twice"}));
  EXPECT_TRUE(bad("gguf_limit", with(Tensor{.name = std::string(64, 'n'), .ne = {8}, .bytes = 32}), {"63"}));
  EXPECT_TRUE(good(with(Tensor{.name = std::string(63, 'n'), .ne = {8}, .bytes = 32})));
  EXPECT_TRUE(bad("gguf_name", with(Tensor{.name = "", .ne = {8}, .bytes = 32}), {"empty"}));
  EXPECT_TRUE(bad("gguf_name", with(Tensor{.name = std::string("a\0b", 3), .ne = {8}, .bytes = 32})));
  EXPECT_TRUE(bad("gguf_name", with(Tensor{.name = "\xc3\xa9", .ne = {8}, .bytes = 32})));
  EXPECT_TRUE(bad("gguf_limit", with(Tensor{.name = "x", .ne = {8}, .bytes = 32, .name_length = ~0ull})));
}

TEST(GgufRefuse, G25_a_million_nameless_tensors) {
  std::string tensor = Image{.tensors = {{.name = "", .ne = {8}}}}.header().substr(24), bytes;
  Image counts;
  counts.n_tensors = limits::gguf_tensors;
  bytes = counts.header();
  for (uint64_t i = 0; i < limits::gguf_tensors; i++) bytes += tensor;
  CpuTime time;
  EXPECT_TRUE(bad("gguf_truncated", bytes));  // each needs a name of one byte at the least
  bytes.append(limits::gguf_tensors, '\0');
  EXPECT_TRUE(bad("gguf_name", bytes, {"empty"}));
  EXPECT_LT(time.seconds(), 1.0);
}

TEST(GgufRefuse, random_bytes_after_a_good_beginning) {
  std::string whole = minimal().bytes();
  uint64_t state = 1;
  auto random = [&] { return state = state * 6364136223846793005ull + 1442695040888963407ull, state >> 33; };
  for (int i = 0; i < 20'000; i++) {
    std::string bytes = whole;
    for (uint64_t n = 1 + random() % 8; n > 0; n--) bytes[random() % bytes.size()] = static_cast<char>(random());
    try {
      GgufFile file = GgufFile::parse(as_bytes(bytes));
      for (auto& t : file.tensors()) ASSERT_LE(t.offset + t.bytes, bytes.size());
    } catch (const Error& e) { ASSERT_EQ(e.code(), ExitCode::bad_data) << e.what(); }
  }
}

}  // namespace
}  // namespace ridgeline
