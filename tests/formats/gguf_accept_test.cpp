// GGUF files that must be accepted, and what is then read from them.
#include <fmt/format.h>
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

TEST(GgufAccept, values_of_every_type) {
  std::string bytes = minimal().bytes();
  GgufFile file = GgufFile::parse(as_bytes(bytes));
  auto& m = file.metadata();
  EXPECT_EQ(file.version(), 3u);
  EXPECT_EQ(file.alignment(), 32u);
  EXPECT_TRUE(file.warnings().empty());
  EXPECT_EQ(m.get<std::string>("general.architecture"), "llama");
  EXPECT_EQ(m.get<std::string_view>("general.name"), "tiny");
  EXPECT_EQ(m.get<uint32_t>("llama.block_count"), 1u);
  EXPECT_EQ(m.get<uint8_t>("test.u8"), 200);
  EXPECT_EQ(m.get<int8_t>("test.i8"), -5);
  EXPECT_EQ(m.get<uint16_t>("test.u16"), 60'000);
  EXPECT_EQ(m.get<int16_t>("test.i16"), -300);
  EXPECT_EQ(m.get<int32_t>("test.i32"), -70'000);
  EXPECT_EQ(m.get<float>("test.f32"), 1e-5f);
  EXPECT_EQ(m.get<bool>("test.bool"), true);
  EXPECT_EQ(m.get<uint64_t>("test.u64"), 1ull << 63);
  EXPECT_EQ(m.get<int64_t>("test.i64"), -(1ll << 40));
  EXPECT_EQ(m.get<double>("test.f64"), 0.1);
  EXPECT_EQ(m.get_array<std::string>("tokens"), (std::vector<std::string>{"<s>", "", "\xff\n"}));
  EXPECT_EQ(m.get_array<std::string_view>("tokens").size(), 3u);
  EXPECT_EQ(m.get_array<float>("scores"), (std::vector<float>{0.5f, -1.0f}));
  EXPECT_EQ(m.get_array<bool>("flags"), (std::vector<bool>{false, true}));
  EXPECT_TRUE(m.get_array<int32_t>("nothing").empty());
  EXPECT_TRUE(m.get_array<std::string>("nothing").empty());
  EXPECT_FALSE(m.has("absent"));
  EXPECT_FALSE(m.find<uint32_t>("absent"));
  EXPECT_EQ(m.find<uint32_t>("llama.block_count"), 1u);
  EXPECT_EQ(m.entries().size(), 17u);
  EXPECT_EQ(m.entries()[0].key, "general.architecture");
}

TEST(GgufAccept, integers_convert_when_they_fit) {
  std::string bytes = minimal().bytes();
  GgufFile file = GgufFile::parse(as_bytes(bytes));
  auto& m = file.metadata();
  EXPECT_EQ(m.get<int64_t>("test.u8"), 200);
  EXPECT_EQ(m.get<uint8_t>("llama.block_count"), 1);
  EXPECT_EQ(m.get<int32_t>("test.u16"), 60'000);
  EXPECT_EQ(m.get<double>("test.f32"), double{1e-5f});
  auto range = [&](auto read) { return refused(ExitCode::bad_data, "gguf_key_range", {"metadata key test."}, read); };
  EXPECT_TRUE(range([&] { m.get<int8_t>("test.u8"); }));
  EXPECT_TRUE(range([&] { m.get<uint64_t>("test.i8"); }));
  EXPECT_TRUE(range([&] { m.get<int64_t>("test.u64"); }));
  EXPECT_TRUE(range([&] { m.get<int32_t>("test.i64"); }));
}

TEST(GgufAccept, T6_nothing_else_converts) {
  std::string bytes = minimal().bytes();
  GgufFile file = GgufFile::parse(as_bytes(bytes));
  auto& m = file.metadata();
  auto wrong = [&](std::initializer_list<std::string_view> words, auto read) {
    return refused(ExitCode::bad_data, "gguf_key_type", words, read);
  };
  EXPECT_TRUE(wrong({"general.name", "expected an integer", "found STRING"}, [&] { m.get<uint32_t>("general.name"); }));
  EXPECT_TRUE(wrong({"expected STRING", "found UINT32"}, [&] { m.get<std::string>("llama.block_count"); }));
  EXPECT_TRUE(wrong({"expected FLOAT32", "found FLOAT64"}, [&] { m.get<float>("test.f64"); }));
  EXPECT_TRUE(wrong({"found FLOAT32"}, [&] { m.get<uint32_t>("test.f32"); }));
  EXPECT_TRUE(wrong({"found UINT32"}, [&] { m.get<float>("llama.block_count"); }));
  EXPECT_TRUE(wrong({"expected BOOL"}, [&] { m.get<bool>("test.u8"); }));
  EXPECT_TRUE(wrong({"found BOOL"}, [&] { m.get<uint8_t>("test.bool"); }));
  EXPECT_TRUE(wrong({"scores", "found an array of 2 FLOAT32"}, [&] { m.get<float>("scores"); }));
  EXPECT_TRUE(wrong({"scores", "expected an array of integers"}, [&] { m.get_array<int8_t>("scores"); }));
  EXPECT_TRUE(
      wrong({"expected an array of FLOAT32", "found an array of 3 STRING"}, [&] { m.get_array<float>("tokens"); }));
  EXPECT_TRUE(wrong({"expected an array of"}, [&] { m.get_array<uint32_t>("llama.block_count"); }));
  EXPECT_TRUE(
      wrong({"test.f32"}, [&] { m.find<std::string>("test.f32"); }));  // there, and wrong: not the same as absent
  EXPECT_TRUE(refused(ExitCode::bad_data, "gguf_key_missing", {"absent"}, [&] { m.get<uint32_t>("absent"); }));
}

TEST(GgufAccept, values_to_look_at) {
  Image image = minimal();
  image.entries.push_back({"escape", STRING, string("\x1b[2J\"\\\n\x7f"), {}});
  image.entries.push_back({"long", STRING, string(std::string(1'000, 'a')), {}});
  image.entries.push_back({"many", ARRAY, array(U8, 200, std::string(200, '\7')), {}});
  std::string bytes = image.bytes();
  GgufFile file = GgufFile::parse(as_bytes(bytes));
  auto show = [&](std::string_view key) { return file.metadata().show(*file.metadata().find_entry(key), 20); };
  EXPECT_EQ(show("general.name"), "\"tiny\"");
  EXPECT_EQ(show("test.u64"), "9223372036854775808");
  EXPECT_EQ(show("test.i8"), "-5");
  EXPECT_EQ(show("test.bool"), "true");
  EXPECT_EQ(show("test.f32"), "1e-05");
  EXPECT_EQ(show("test.f64"), "0.1");
  EXPECT_EQ(show("flags"), "[false, true]");
  EXPECT_EQ(show("nothing"), "[]");
  EXPECT_EQ(show("escape"), "\"\\x1b[2J\\\"\\\\\\n\\x7f\"");
  EXPECT_EQ(show("long"), "\"aaaaaaaaaaaaaaaaaaaa\"...");
  EXPECT_EQ(show("many"), "[7, 7, 7, 7, 7, 7, 7, ...]");
}

TEST(GgufAccept, tensors) {
  std::string bytes = minimal().bytes();
  GgufFile file = GgufFile::parse(as_bytes(bytes));
  ASSERT_EQ(file.tensors().size(), 4u);
  auto& a = file.tensor("blk.0.a.weight");
  EXPECT_EQ(&a, &file.tensors()[1]);
  EXPECT_EQ(a.type->name, "Q4_0");
  EXPECT_EQ(a.rank, 2);
  EXPECT_EQ(a.ne[0], 32u);
  EXPECT_EQ(a.shape(), (std::vector<int64_t>{3, 32}));
  EXPECT_EQ(a.text(), "blk.0.a.weight (Q4_0, 32 x 3)");
  EXPECT_EQ(a.elements, 96u);
  EXPECT_EQ(a.bytes, 54u);
  EXPECT_EQ(a.offset, file.data_begin() + 32);
  EXPECT_EQ(file.dtype(a), DType::q4_0);
  ASSERT_EQ(file.data(a).size(), 54u);
  EXPECT_EQ(file.data(a)[1], std::byte{7 + 14});  // the builder's pattern
  EXPECT_EQ(file.tensor("blk.0.c.weight").shape(), (std::vector<int64_t>{1, 2, 2, 4}));
  EXPECT_EQ(file.find_tensor("blk.0.z.weight"), nullptr);
  EXPECT_TRUE(
      refused(ExitCode::bad_data, "gguf_tensor_missing", {"blk.0.z.weight"}, [&] { file.tensor("blk.0.z.weight"); }));
}

TEST(GgufAccept, every_known_type_is_listed_and_refused_only_when_its_data_is_wanted) {
  for (auto& type : ggml_types()) {
    if (type.removed()) continue;
    Image image = minimal();
    image.tensors.push_back({.name = "x", .ne = {type.block, 3}, .type = type.id, .bytes = 3 * type.block_bytes});
    std::string bytes = image.bytes();
    GgufFile file = GgufFile::parse(as_bytes(bytes));
    auto& x = file.tensor("x");
    EXPECT_EQ(x.bytes, 3 * type.block_bytes);
    if (type.dtype) {
      EXPECT_EQ(file.data(x).size(), x.bytes);
    } else {
      EXPECT_TRUE(
          refused(ExitCode::bad_data, "gguf_unsupported_type", {"tensor x", type.name, "Q4_1"}, [&] { file.data(x); }));
    }
  }
}

TEST(GgufAccept, version_2) {
  Image image = minimal();
  image.version = 2;
  std::string bytes = image.bytes();
  EXPECT_EQ(GgufFile::parse(as_bytes(bytes)).version(), 2u);
}

TEST(GgufAccept, every_alignment) {
  for (uint32_t n = 8; n <= 4096; n *= 2) {
    Image image = minimal();
    image.alignment = n;
    image.entries.push_back({"general.alignment", U32, raw(n), {}});
    std::string bytes = image.bytes();
    GgufFile file = GgufFile::parse(as_bytes(bytes));
    EXPECT_EQ(file.alignment(), n);
    EXPECT_EQ(file.tensors()[2].offset % n, 0u);
  }
}

TEST(GgufAccept, no_tensors) {  // vocabularies are published like this
  Image image = minimal();
  image.tensors.clear();
  std::string bytes = image.bytes();
  GgufFile file = GgufFile::parse(as_bytes(bytes));
  EXPECT_TRUE(file.tensors().empty());
  EXPECT_TRUE(file.warnings().empty());
  Image nothing;
  bytes = nothing.bytes();
  EXPECT_TRUE(GgufFile::parse(as_bytes(bytes)).metadata().entries().empty());
}

TEST(GgufAccept, G23_trailing_bytes_with_a_warning) {
  Image image = minimal();
  image.trailing = std::string(2'000, 'x');
  std::string bytes = image.bytes();
  GgufFile file = GgufFile::parse(as_bytes(bytes));
  ASSERT_EQ(file.warnings().size(), 1u);
  EXPECT_NE(file.warnings()[0].find("2,000 bytes after the last tensor"), std::string::npos);
}

TEST(GgufAccept, no_padding_after_the_last_tensor) {
  Image image = minimal();
  image.tensors.pop_back();  // the last one now has 34 bytes, padded to 64
  std::string bytes = image.bytes();
  bytes.resize(bytes.size() - 30);
  GgufFile file = GgufFile::parse(as_bytes(bytes));
  EXPECT_EQ(file.data(file.tensors().back()).size(), 34u);
  bytes.pop_back();
  EXPECT_THROW(GgufFile::parse(as_bytes(bytes)), Error);
}

// The limits are tested from both sides: what is just allowed works, and is quick.
TEST(GgufAccept, G25_T9_as_many_keys_as_allowed) {
  Image image;
  for (uint64_t i = 0; i < limits::gguf_metadata_entries; i++)
    image.entries.push_back({fmt::format("k{}", i), U8, "\1", {}});
  std::string bytes = image.bytes();
  CpuTime time;
  GgufFile file = GgufFile::parse(as_bytes(bytes));
  EXPECT_EQ(file.metadata().get<uint8_t>("k65535"), 1);
  EXPECT_LT(time.seconds(), 0.2);
}

TEST(GgufAccept, as_many_tensors_as_allowed) {
  Image counts;
  counts.n_tensors = limits::gguf_tensors;
  std::string bytes = counts.header();
  for (uint64_t i = 0; i < limits::gguf_tensors; i++) {
    bytes += string(fmt::format("blk.{}", i)) + raw(1u) + raw<uint64_t>(8) + raw<uint32_t>(GGML_F32) + raw(32 * i);
  }
  bytes.resize((bytes.size() + 31) / 32 * 32 + 32 * limits::gguf_tensors);
  CpuTime time;
  GgufFile file = GgufFile::parse(as_bytes(bytes));
  EXPECT_EQ(file.tensor("blk.1048575").offset + 32, bytes.size());
  EXPECT_LT(time.seconds(), 5.0);
}

TEST(GgufAccept, strings_as_long_as_allowed) {
  Image image = minimal();
  image.entries.push_back({"x", STRING, string(std::string(limits::gguf_string_bytes, 'x')), {}});
  std::string bytes = image.bytes();
  EXPECT_EQ(GgufFile::parse(as_bytes(bytes)).metadata().get<std::string_view>("x").size(), limits::gguf_string_bytes);
}

TEST(GgufAccept, arrays_as_long_as_allowed) {
  Image image = minimal();
  image.entries.push_back(
      {"x", ARRAY, array(U8, limits::gguf_array_elements, std::string(limits::gguf_array_elements, '\3')), {}});
  std::string bytes = image.bytes();
  EXPECT_EQ(GgufFile::parse(as_bytes(bytes)).metadata().get_array<uint8_t>("x").size(), limits::gguf_array_elements);
}

TEST(GgufAccept, a_moved_file_keeps_its_views) {
  std::string bytes = minimal().bytes();
  GgufFile first = GgufFile::parse(as_bytes(bytes));
  GgufFile second = std::move(first);
  EXPECT_EQ(second.tensor("norm.weight").name, "norm.weight");
  EXPECT_EQ(second.metadata().get<std::string>("general.name"), "tiny");
}

}  // namespace
}  // namespace ridgeline
