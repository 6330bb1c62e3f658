// GGUF file images made byte by byte, right or wrong on purpose. Deliberately not built on formats/gguf_writer.h, so
// that reader and writer are not tested against each other's mistakes only.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline::gguf_image {

// Value types and tensor types by their numbers in the format.
enum Type : uint32_t { U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 };
enum Ggml : uint32_t {
  GGML_F32 = 0,
  GGML_F16 = 1,
  GGML_Q4_0 = 2,
  GGML_Q4_1 = 3,
  GGML_Q8_0 = 8,
  GGML_Q4_K = 12,
  GGML_BF16 = 30
};

template <class T>
std::string raw(T value) {
  std::string out(sizeof(T), '\0');
  std::memcpy(out.data(), &value, sizeof(T));
  return out;
}
inline std::string string(std::string_view text) { return raw<uint64_t>(text.size()) + std::string(text); }
inline std::string array(uint32_t type, uint64_t count, std::string_view elements) {
  return raw(type) + raw(count) + std::string(elements);
}

struct Entry {
  std::string key;
  uint32_t type;
  std::string value;                   // as it lies in the file
  std::optional<uint64_t> key_length;  // a lie
};
struct Tensor {
  std::string name;
  std::vector<uint64_t> ne;
  uint32_t type = GGML_F32;
  uint64_t bytes = 0;              // of data written for it
  std::optional<uint64_t> offset;  // a lie
  std::optional<uint32_t> rank;    // a lie
  std::optional<uint64_t> name_length;
};

struct Image {
  std::string magic = "GGUF";
  uint32_t version = 3;
  std::optional<uint64_t> n_kv, n_tensors;  // lies
  std::vector<Entry> entries;
  std::vector<Tensor> tensors;
  uint64_t alignment = 32;
  std::string trailing;

  std::string header() const {
    std::string out =
        magic + raw(version) + raw(n_tensors.value_or(tensors.size())) + raw(n_kv.value_or(entries.size()));
    for (auto& e : entries) { out += raw(e.key_length.value_or(e.key.size())) + e.key + raw(e.type) + e.value; }
    uint64_t offset = 0;
    for (auto& t : tensors) {
      out += raw(t.name_length.value_or(t.name.size())) + t.name;
      out += raw(t.rank.value_or(static_cast<uint32_t>(t.ne.size())));
      for (uint64_t n : t.ne) out += raw(n);
      out += raw(t.type) + raw(t.offset.value_or(offset));
      offset = padded(offset + t.bytes);
    }
    return out;
  }
  std::string bytes() const {
    std::string out = header();
    if (!tensors.empty()) out.resize(padded(out.size()));
    for (auto& t : tensors) {
      for (uint64_t i = 0; i < t.bytes; i++) out += static_cast<char>(i * 7 + t.name.size());
      out.resize(padded(out.size()));
    }
    return out + trailing;
  }
  uint64_t padded(uint64_t n) const { return (n + alignment - 1) / alignment * alignment; }
};

// About 1 KiB, with a value of every type and tensors of four. Its last tensor ends on the alignment, so that no proper
// prefix of it is a whole file.
inline Image minimal() {
  Image image;
  image.entries = {
      {"general.architecture", STRING, string("llama"), {}},
      {"general.name", STRING, string("tiny"), {}},
      {"llama.block_count", U32, raw<uint32_t>(1), {}},
      {"test.u8", U8, raw<uint8_t>(200), {}},
      {"test.i8", I8, raw<int8_t>(-5), {}},
      {"test.u16", U16, raw<uint16_t>(60'000), {}},
      {"test.i16", I16, raw<int16_t>(-300), {}},
      {"test.i32", I32, raw<int32_t>(-70'000), {}},
      {"test.f32", F32, raw(1e-5f), {}},
      {"test.bool", BOOL, raw<uint8_t>(1), {}},
      {"test.u64", U64, raw<uint64_t>(1ull << 63), {}},
      {"test.i64", I64, raw<int64_t>(-(1ll << 40)), {}},
      {"test.f64", F64, raw(0.1), {}},
      {"tokens", ARRAY, array(STRING, 3, string("<s>") + string("") + string("\xff\n")), {}},
      {"scores", ARRAY, array(F32, 2, raw(0.5f) + raw(-1.0f)), {}},
      {"flags", ARRAY, array(BOOL, 2, std::string("\0\1", 2)), {}},
      {"nothing", ARRAY, array(I32, 0, ""), {}},
  };
  image.tensors = {
      {"norm.weight", {5}, GGML_F32, 20, {}, {}, {}},
      {"blk.0.a.weight", {32, 3}, GGML_Q4_0, 54, {}, {}, {}},
      {"blk.0.b.weight", {32}, GGML_Q8_0, 34, {}, {}, {}},
      {"blk.0.c.weight", {4, 2, 2, 1}, GGML_F16, 32, {}, {}, {}},
  };
  return image;
}

inline std::span<const std::byte> as_bytes(const std::string& image) {
  return std::as_bytes(std::span(image.data(), image.size()));
}

}  // namespace ridgeline::gguf_image
