// safetensors containers, good and malformed, by the rows S01 .. S13, S16 and S17 of the bad-input catalogue.
#include "formats/safetensors.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/refused.h"
#include "base/scratch_folder.h"
#include "formats/cpu_time.h"
#include "formats/safetensors_image.h"

namespace ridgeline {
namespace {

using namespace safetensors_image;
using Words = std::initializer_list<std::string_view>;

::testing::AssertionResult bad(std::string_view id, const std::string& bytes, Words words = {}) {
  return refused(ExitCode::bad_data, id, words, [&] { SafetensorsFile::parse(as_bytes(bytes)); });
}
::testing::AssertionResult good(const std::string& bytes) {
  try {
    SafetensorsFile::parse(as_bytes(bytes));
  } catch (const Error& e) { return ::testing::AssertionFailure() << e.id() << ": " << e.what(); }
  return ::testing::AssertionSuccess();
}
// A file of one tensor with this entry, and of so many bytes.
std::string one(const std::string& fields, size_t bytes) { return image(R"({"a":{)" + fields + "}}", bytes); }

TEST(Safetensors, reads_what_is_there) {
  std::string bytes = minimal();
  SafetensorsFile file = SafetensorsFile::parse(as_bytes(bytes));
  ASSERT_EQ(file.tensors().size(), 2u);
  const auto* a = file.find_tensor("a");
  ASSERT_TRUE(a);
  EXPECT_EQ(a->type->dtype, DType::f32);
  EXPECT_EQ(a->shape, (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(a->elements, 6u);
  EXPECT_EQ(file.data(*a).data(), as_bytes(bytes).data() + 8 + minimal_header().size());
  EXPECT_EQ(file.data(*a).size(), 24u);
  EXPECT_EQ(file.find_tensor("b")->text(), "b (BF16, 4)");
  EXPECT_EQ(file.find_tensor("c"), nullptr);
  EXPECT_EQ(file.metadata().at(0).second, "pt");
  EXPECT_EQ(file.file_bytes(), bytes.size());
  EXPECT_TRUE(file.warnings().empty());
}

TEST(Safetensors, opens_a_file) {
  ScratchFolder folder;
  SafetensorsFile file = SafetensorsFile::open(folder.write("model.safetensors", minimal()));
  EXPECT_EQ(file.tensors().size(), 2u);
  EXPECT_TRUE(file.mapping());
  std::string cut = minimal().substr(0, 100), path = folder.write("cut.safetensors", cut);
  EXPECT_TRUE(refused(ExitCode::bad_data, "safetensors_truncated", {path, "the header has"},
                      [&] { SafetensorsFile::open(path); }));
  EXPECT_TRUE(refused(ExitCode::cannot_open, "cannot_open", {}, [&] { SafetensorsFile::open(folder / "none"); }));
  EXPECT_TRUE(refused(ExitCode::cannot_open, "cannot_open", {}, [&] { SafetensorsFile::open(folder.path()); }));
}

TEST(Safetensors, the_order_of_entries_is_free) {
  EXPECT_TRUE(good(image("{" + entry("b", "F32", "1", "4,8") + "," + entry("a", "F32", "1", "0,4") + "}", 8)));
  EXPECT_TRUE(good(one(R"("data_offsets":[0,4],"shape":[1],"dtype":"F32")", 4)));
  EXPECT_TRUE(good(image("{}", 0)));
  EXPECT_TRUE(good(image(minimal_header() + "     ", 32)));  // writers pad with spaces
}

TEST(Safetensors, S01_lengths) {
  std::string whole = minimal();
  for (size_t n = 0; n <= 8; n++) EXPECT_TRUE(bad("safetensors_truncated", whole.substr(0, n))) << n;
  EXPECT_TRUE(bad("safetensors_header", image("", 8, 0)));
  EXPECT_TRUE(bad("safetensors_truncated", image(minimal_header(), 0, 4096), {"4096", "unfinished download"}));
  EXPECT_TRUE(bad("safetensors_limit", image(minimal_header(), 32, 100'000'001), {"100000001"}));
  EXPECT_TRUE(bad("safetensors_limit", image(minimal_header(), 32, 1ull << 63)));
  EXPECT_TRUE(bad("safetensors_limit", image(minimal_header(), 32, ~0ull)));
}

TEST(Safetensors, S01_every_prefix) {
  std::string whole = minimal();
  for (size_t n = 0; n < whole.size(); n++) EXPECT_TRUE(bad("safetensors_truncated", whole.substr(0, n))) << n;
}

TEST(Safetensors, S02_headers_that_are_not_JSON) {
  auto header = [](const std::string& text) { return image(text, 0); };
  EXPECT_TRUE(bad("safetensors_header", header("{\"\xff\xfe\":1}"), {"not JSON", "byte 2"}));
  EXPECT_TRUE(bad("safetensors_header", header("hello"), {"not JSON"}));
  EXPECT_TRUE(bad("safetensors_header", header("[]"), {"a list"}));
  EXPECT_TRUE(bad("safetensors_header", header("7"), {"7"}));
  EXPECT_TRUE(bad("safetensors_header", header("null"), {"null"}));
  EXPECT_TRUE(bad("safetensors_header", header("{} x")));
  EXPECT_TRUE(bad("safetensors_header", header("{}{}")));
  EXPECT_TRUE(bad("safetensors_header", header(std::string("{}\0\0", 4)), {"byte 2"}));
  EXPECT_TRUE(bad("safetensors_header", header("\xEF\xBB\xBF{}"), {"byte order mark"}));
  EXPECT_TRUE(bad("safetensors_header", header("{\"a\":1,}")));
  EXPECT_TRUE(bad("safetensors_header", header("{'a':1}")));
  EXPECT_TRUE(bad("safetensors_header", header("{\"a\":NaN}")));
  EXPECT_TRUE(bad("safetensors_header", header("{\"a\":1}"), {"\"a\" is 1"}));
  EXPECT_TRUE(bad("safetensors_header", header("{\"a\":[]}"), {"\"a\" is a list"}));
}

TEST(Safetensors, S03_leading_whitespace_is_taken) { EXPECT_TRUE(good(image(" \n\t " + minimal_header(), 32))); }

TEST(Safetensors, S04_metadata) {
  auto metadata = [](const std::string& value) { return image(R"({"__metadata__":)" + value + "}", 0); };
  EXPECT_TRUE(good(metadata("{}")));
  EXPECT_TRUE(good(metadata(R"({"a":"b","c":""})")));
  EXPECT_TRUE(bad("safetensors_metadata", metadata(R"({"a":1})"), {"\"a\"", "text"}));
  EXPECT_TRUE(bad("safetensors_metadata", metadata(R"({"a":null})")));
  EXPECT_TRUE(bad("safetensors_metadata", metadata(R"({"a":{}})")));
  EXPECT_TRUE(bad("safetensors_header", metadata("[]"), {"__metadata__"}));
  EXPECT_TRUE(bad("safetensors_duplicate", metadata(R"({"a":"b","a":"b"})"), {"\"a\""}));
  EXPECT_TRUE(bad("safetensors_duplicate", image(R"({"__metadata__":{},"__metadata__":{}})", 0)));
  std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  EXPECT_TRUE(bad("safetensors_metadata", metadata(R"({"a":)" + deep + "}")));
  EXPECT_TRUE(bad("safetensors_header", one(R"("x":)" + deep, 0), {"nested"}));
  std::string many = R"({"0":"")";
  for (uint64_t i = 1; i <= limits::safetensors_metadata_entries; i++) many += fmt::format(",\"{}\":\"\"", i);
  EXPECT_TRUE(bad("safetensors_limit", metadata(many + "}")));
}

TEST(Safetensors, S05_duplicates) {
  std::string twice = "{" + entry("a", "F32", "1", "0,4") + "," + entry("a", "F32", "1", "4,8") + "}";
  EXPECT_TRUE(bad("safetensors_duplicate", image(twice, 8), {"\"a\"", "twice"}));
  EXPECT_TRUE(bad("safetensors_duplicate", one(R"("dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4])", 4),
                  {"dtype twice"}));
  EXPECT_TRUE(bad("safetensors_duplicate", one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"shape":[1])", 4),
                  {"shape twice"}));
}

TEST(Safetensors, S06_offsets) {
  auto offsets = [](const std::string& list, size_t bytes = 4) {
    return one(R"("dtype":"F32","shape":[1],"data_offsets":)" + list, bytes);
  };
  ASSERT_TRUE(good(offsets("[0,4]")));
  for (auto list : {"[-1,4]", "[0,4.0]", "[0,4e0]", "[0.0,4]", "[0,18446744073709551616]", "[\"0\",4]", "[null,4]",
                    "[true,4]", "[[0],4]", "[0,{}]", "[0,4,4]", "[0]", "[]", "4", "\"0,4\"", "null", "{}", "[4,0]"})
    EXPECT_TRUE(bad("safetensors_offsets", offsets(list), {"\"a\""})) << list;
  EXPECT_TRUE(bad("safetensors_offsets", offsets("[4,8]", 8), {"hole", "expected byte 0"}));
  EXPECT_TRUE(bad("safetensors_offsets", offsets("[18446744073709551611,18446744073709551615]"), {"hole"}));
  auto two = [](const std::string& second, size_t bytes) {
    return image("{" + entry("a", "F32", "2", "0,8") + "," + entry("b", "F32", "2", second) + "}", bytes);
  };
  ASSERT_TRUE(good(two("8,16", 16)));
  EXPECT_TRUE(bad("safetensors_offsets", two("7,15", 15), {"b (F32, 2)", "overlaps"}));
  EXPECT_TRUE(bad("safetensors_offsets", two("0,8", 8), {"overlaps"}));
  EXPECT_TRUE(bad("safetensors_offsets", two("9,17", 17), {"hole"}));
}

TEST(Safetensors, S07_shapes) {
  auto shape = [](const std::string& list, size_t bytes) {
    return image("{" + entry("a", "F32", list, "0," + std::to_string(bytes)) + "}", bytes);
  };
  EXPECT_TRUE(good(shape("2,0", 0)));
  EXPECT_TRUE(good(shape("", 4)));  // one number
  EXPECT_TRUE(good(shape("1,1,1,1,1,1,1,1,1", 4)));
  for (auto list : {"-1", "1.0", "1e0", "18446744073709551614", "\"1\"", "null", "[1]", "{}", "-0"})
    EXPECT_TRUE(bad("safetensors_shape", shape(list, 4), {"\"a\""})) << list;
  EXPECT_TRUE(bad("safetensors_shape", shape("4194305,4194305,211106198978564", 16)));  // 4 elements after wrapping
  EXPECT_TRUE(bad("safetensors_shape", shape("4611686018427387904", 0)));  // 2^64 bytes: none after wrapping
  EXPECT_TRUE(bad("safetensors_shape", shape("0,18446744073709551614", 0)));
  std::string dims = "1";
  for (int i = 0; i < 64; i++) dims += ",1";
  EXPECT_TRUE(bad("safetensors_shape", shape(dims, 4), {"more than 64"}));
  for (auto whole : {R"("shape":1)", R"("shape":"1")", R"("shape":null)", R"("shape":{})"})
    EXPECT_TRUE(bad("safetensors_shape", one(std::string(whole) + R"(,"dtype":"F32","data_offsets":[0,4])", 4)));
}

TEST(Safetensors, S08_types) {
  auto type = [](const std::string& json) {
    return one(R"("dtype":)" + json + R"(,"shape":[1],"data_offsets":[0,4])", 4);
  };
  EXPECT_TRUE(bad("safetensors_dtype", type("\"F33\""), {"\"F33\"", "BF16"}));
  EXPECT_TRUE(bad("safetensors_dtype", type("\"f32\"")));
  EXPECT_TRUE(bad("safetensors_dtype", type("\"\"")));
  EXPECT_TRUE(bad("safetensors_dtype", type("32")));
  EXPECT_TRUE(bad("safetensors_dtype", type("null")));
  EXPECT_TRUE(bad("safetensors_dtype", type("[]")));
  EXPECT_TRUE(bad("safetensors_dtype", type("{}")));
  EXPECT_TRUE(bad("safetensors_header", one(R"("shape":[1],"data_offsets":[0,4])", 4), {"no dtype"}));
  EXPECT_TRUE(bad("safetensors_header", one(R"("dtype":"F32","data_offsets":[0,4])", 4), {"no shape"}));
  EXPECT_TRUE(bad("safetensors_header", one(R"("dtype":"F32","shape":[1])", 4), {"no data_offsets"}));
  for (auto& t : safetensors_types()) {
    std::string bytes = image("{" + entry("a", std::string(t.name), "8", "0," + std::to_string(t.bits)) + "}", t.bits);
    EXPECT_TRUE(good(bytes)) << t.name;
  }
}

TEST(Safetensors, S08_unknown_fields_are_passed_over) {
  for (auto value : {"1", "\"x\"", "null", "[]", "{}", R"([{"dtype":[1,"F32",{}]},-1.5e3,true])"}) {
    std::string bytes = one(R"("x":)" + std::string(value) + R"(,"dtype":"F32","shape":[1],"data_offsets":[0,4])", 4);
    ASSERT_TRUE(good(bytes)) << value;
    EXPECT_EQ(SafetensorsFile::parse(as_bytes(bytes)).warnings().size(), 1u);
  }
}

TEST(Safetensors, S09_sizes) {
  auto sized = [](const std::string& end, size_t bytes) {
    return image("{" + entry("a", "F32", "2,3", "0," + end) + "}", bytes);
  };
  ASSERT_TRUE(good(sized("24", 24)));
  EXPECT_TRUE(bad("safetensors_size", sized("25", 25), {"takes 24 bytes", "give it 25"}));
  EXPECT_TRUE(bad("safetensors_size", sized("23", 23)));
  EXPECT_TRUE(bad("safetensors_size", sized("4294967320", 24)));  // 24 after 2^32
}

TEST(Safetensors, S10_tensors_without_elements_share_offsets) {
  std::string header = "{" + entry("none", "F32", "0", "0,0") + "," + entry("a", "F32", "1", "0,4") + "," +
                       entry("between", "F32", "3,0", "4,4") + "," + entry("b", "F32", "1", "4,8") + "," +
                       entry("last", "BF16", "0", "8,8") + "}";
  std::string bytes = image(header, 8);
  ASSERT_TRUE(good(bytes));
  SafetensorsFile file = SafetensorsFile::parse(as_bytes(bytes));
  EXPECT_TRUE(file.data(*file.find_tensor("none")).empty());
  EXPECT_TRUE(file.data(*file.find_tensor("between")).empty());
  EXPECT_EQ(file.data(*file.find_tensor("a")).data() + 4, file.data(*file.find_tensor("b")).data());
}

TEST(Safetensors, S11_more_or_less_than_the_tensors) {
  std::string whole = minimal();
  EXPECT_TRUE(bad("safetensors_trailing", whole + "PK\x03\x04", {"4 bytes after the last tensor"}));
  EXPECT_TRUE(bad("safetensors_truncated", whole.substr(0, whole.size() - 2), {"b (BF16, 4)", "2 bytes early"}));
}

TEST(Safetensors, S12_elements_smaller_than_a_byte) {
  auto sub = [](const std::string& type, const std::string& elements, size_t bytes) {
    return image("{" + entry("a", type, elements, "0," + std::to_string(bytes)) + "}", bytes);
  };
  EXPECT_TRUE(good(sub("F4", "6", 3)));
  EXPECT_TRUE(bad("safetensors_shape", sub("F4", "5", 3), {"middle of a byte"}));
  EXPECT_TRUE(good(sub("F6_E2M3", "4", 3)));
  EXPECT_TRUE(bad("safetensors_shape", sub("F6_E3M2", "3", 3)));
}

TEST(Safetensors, S13_a_million_tensors) {
  std::string header = "{";
  uint64_t count = 1'000'000, at = 0;
  for (uint64_t i = 0; i < count; i++, at += 2)
    header += fmt::format(R"({}"model.layers.{}.w":{{"dtype":"BF16","shape":[1],"data_offsets":[{},{}]}})",
                          i ? "," : "", i, at, at + 2);
  std::string bytes = image(header + "}", at);
  ASSERT_GT(bytes.size(), 80u << 20);
  CpuTime time;
  SafetensorsFile file = SafetensorsFile::parse(as_bytes(bytes));
  EXPECT_EQ(file.tensors().size(), count);
  EXPECT_LT(time.seconds(), 5.0);
}

TEST(Safetensors, S13_too_many_tensors_and_names_too_long) {
  std::string header = "{";
  for (uint64_t i = 0; i <= limits::safetensors_tensors; i++)
    header += fmt::format(R"({}"{}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", i ? "," : "", i);
  EXPECT_TRUE(bad("safetensors_limit", image(header + "}", 0), {"1048576"}));
  std::string name(limits::safetensors_name_bytes, 'n');
  EXPECT_TRUE(good(image("{" + entry(name, "F32", "1", "0,4") + "}", 4)));
  EXPECT_TRUE(bad("safetensors_limit", image("{" + entry(name + "n", "F32", "1", "0,4") + "}", 4)));
}

TEST(Safetensors, S16_S17_other_files) {
  EXPECT_TRUE(bad("lfs_pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 98362432\n",
                  {"Git LFS pointer", "git lfs pull"}));
  EXPECT_TRUE(bad("not_safetensors", std::string("PK\x03\x04\x14\0\x08\x08\x08\x08", 10), {"zip", "PyTorch"}));
  EXPECT_TRUE(bad("not_safetensors", std::string("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20j\xa8", 12), {"pickle"}));
  EXPECT_TRUE(bad("not_safetensors", std::string("\x80\x04\x95\x1a\0\0\0\0\0\0\0}", 12), {"pickle"}));
  EXPECT_TRUE(bad("not_safetensors", std::string("GGUF\x03\0\0\0\0\0\0\0", 12), {"GGUF"}));
  EXPECT_TRUE(bad("not_safetensors", "<!DOCTYPE html>", {"web page"}));
  EXPECT_TRUE(bad("not_safetensors", "\x1b[2Jhello world", {"\\x1b"}));  // never sent to a terminal as it is
}

TEST(Safetensors, names_are_fit_for_a_terminal) {
  std::string bytes = image("{" + entry("\\u001b[2J", "F32", "1", "0,5") + "}", 5);
  EXPECT_TRUE(bad("safetensors_size", bytes, {"\"\\x1b[2J\" (F32, 1)"}));
}

// What is still a file must be one whose every extent lies inside it.
TEST(Safetensors, every_flipped_bit) {
  std::string whole = minimal();
  size_t refusals = 0, bits = (whole.size() - 32) * 8;
  for (size_t bit = 0; bit < bits; bit++) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    try {
      SafetensorsFile file = SafetensorsFile::parse(as_bytes(flipped));
      for (auto& t : file.tensors()) EXPECT_LE(t.offset + t.bytes, flipped.size());
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::bad_data) << e.what();
      refusals++;
    }
  }
  EXPECT_GT(refusals, bits / 2);
}

}  // namespace
}  // namespace ridgeline
