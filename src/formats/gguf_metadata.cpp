#include "formats/gguf_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <type_traits>
#include <utility>

#include "base/byte_reader.h"
#include "base/error.h"
#include "base/printable.h"

namespace ridgeline {
namespace {

struct TypeRow {
  std::string_view name;
  uint64_t bytes;  // 0: not fixed
};
constexpr TypeRow type_rows[gguf_type_count] = {
    {"UINT8", 1}, {"INT8", 1},   {"UINT16", 2}, {"INT16", 2},  {"UINT32", 4}, {"INT32", 4},   {"FLOAT32", 4},
    {"BOOL", 1},  {"STRING", 0}, {"ARRAY", 0},  {"UINT64", 8}, {"INT64", 8},  {"FLOAT64", 8},
};

template <class T>
constexpr std::string_view wanted_name(bool array) {
  if constexpr (std::is_same_v<T, bool>) return "BOOL";
  if constexpr (std::is_same_v<T, float>) return "FLOAT32";
  if constexpr (std::is_same_v<T, double>) return "FLOAT32 or FLOAT64";
  if constexpr (std::is_integral_v<T>) return array ? "integers" : "an integer";
  return "STRING";
}

std::string found_name(const GgufEntry& e) {
  return e.is_array ? fmt::format("an array of {} {}", e.count, name_of(e.type)) : std::string(name_of(e.type));
}

template <class T>
[[noreturn]] void wrong_type(const GgufEntry& e, bool array) {
  fail(ExitCode::bad_data, "gguf_key_type", "metadata key {}: expected {}{}, found {}", e.key,
       array ? "an array of " : "", wanted_name<T>(array), found_name(e));
}

template <class T, class Stored>
T fit(const GgufEntry& e, Stored value) {
  if (!std::in_range<T>(value)) {
    fail(ExitCode::bad_data, "gguf_key_range", "metadata key {}: expected a value from {} to {}, found {}", e.key,
         std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), value);
  }
  return static_cast<T>(value);
}

// The next value of an entry as T, or nothing when the entry's type does not convert to it.
template <class T>
std::optional<T> next(const GgufEntry& e, ByteReader& r) {
  if constexpr (std::is_same_v<T, bool>) {
    if (e.type == GgufType::boolean) return r.read<uint8_t>("bool") != 0;
  } else if constexpr (std::is_floating_point_v<T>) {
    if (e.type == GgufType::float32) return r.read<float>("float");
    if constexpr (std::is_same_v<T, double>) {
      if (e.type == GgufType::float64) return r.read<double>("float");
    }
  } else if constexpr (std::is_integral_v<T>) {
    switch (e.type) {
      case GgufType::uint8: return fit<T>(e, r.read<uint8_t>("integer"));
      case GgufType::int8: return fit<T>(e, r.read<int8_t>("integer"));
      case GgufType::uint16: return fit<T>(e, r.read<uint16_t>("integer"));
      case GgufType::int16: return fit<T>(e, r.read<int16_t>("integer"));
      case GgufType::uint32: return fit<T>(e, r.read<uint32_t>("integer"));
      case GgufType::int32: return fit<T>(e, r.read<int32_t>("integer"));
      case GgufType::uint64: return fit<T>(e, r.read<uint64_t>("integer"));
      case GgufType::int64: return fit<T>(e, r.read<int64_t>("integer"));
      default: break;
    }
  } else {
    if (e.type == GgufType::string) return T(r.text(r.read<uint64_t>("string length"), "string"));
  }
  return {};
}

template <class T>
T single(const GgufEntry& e) {
  ByteReader reader(e.bytes, "gguf_truncated");
  std::optional<T> value;
  if (!e.is_array) value = next<T>(e, reader);
  if (!value) wrong_type<T>(e, false);
  return *std::move(value);
}

template <class T>
std::vector<T> many(const GgufEntry& e) {
  std::vector<T> values;
  ByteReader reader(e.bytes, "gguf_truncated");
  // An empty array is read as one of any type: nothing in it can be misread.
  for (uint64_t i = 0; e.is_array && i < e.count; i++) {
    auto value = next<T>(e, reader);
    if (!value) break;
    if (i == 0) values.reserve(e.count);
    values.push_back(*std::move(value));
  }
  if (!e.is_array || values.size() != e.count) wrong_type<T>(e, true);
  return values;
}

std::string show_next(const GgufEntry& e, ByteReader& r, size_t most) {
  if (auto v = next<std::string_view>(e, r)) return printable(*v, most);
  if (auto v = next<bool>(e, r)) return *v ? "true" : "false";
  if (e.type == GgufType::uint64) return fmt::format("{}", *next<uint64_t>(e, r));
  if (auto v = next<int64_t>(e, r)) return fmt::format("{}", *v);
  if (auto v = next<float>(e, r)) return fmt::format("{}", *v);
  return fmt::format("{}", *next<double>(e, r));
}

}  // namespace

std::string_view name_of(GgufType type) { return type_rows[static_cast<uint32_t>(type)].name; }

std::optional<uint64_t> bytes_of(GgufType type) {
  uint64_t bytes = type_rows[static_cast<uint32_t>(type)].bytes;
  return bytes ? std::optional(bytes) : std::nullopt;
}

GgufMetadata::GgufMetadata(std::vector<GgufEntry> entries) : entries_(std::move(entries)), by_key_(entries_.size()) {
  std::iota(by_key_.begin(), by_key_.end(), 0u);
  auto key = [this](uint32_t i) { return entries_[i].key; };
  std::sort(by_key_.begin(), by_key_.end(), [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  auto twice =
      std::adjacent_find(by_key_.begin(), by_key_.end(), [&](uint32_t a, uint32_t b) { return key(a) == key(b); });
  if (twice != by_key_.end()) {
    fail(ExitCode::bad_data, "gguf_duplicate_key",
         "metadata key {} is there twice; readers would not agree on its value", key(*twice));
  }
}

const GgufEntry* GgufMetadata::find_entry(std::string_view key) const {
  auto at = std::lower_bound(by_key_.begin(), by_key_.end(), key,
                             [this](uint32_t i, std::string_view k) { return entries_[i].key < k; });
  return at != by_key_.end() && entries_[*at].key == key ? &entries_[*at] : nullptr;
}

const GgufEntry& GgufMetadata::at(std::string_view key) const {
  if (auto* entry = find_entry(key)) return *entry;
  fail(ExitCode::bad_data, "gguf_key_missing", "metadata key {} is missing", key);
}

template <class T>
T GgufMetadata::get(std::string_view key) const {
  return single<T>(at(key));
}
template <class T>
std::optional<T> GgufMetadata::find(std::string_view key) const {
  auto* entry = find_entry(key);
  return entry ? std::optional(single<T>(*entry)) : std::nullopt;
}
template <class T>
std::vector<T> GgufMetadata::get_array(std::string_view key) const {
  return many<T>(at(key));
}
template <class T>
std::optional<std::vector<T>> GgufMetadata::find_array(std::string_view key) const {
  auto* entry = find_entry(key);
  return entry ? std::optional(many<T>(*entry)) : std::nullopt;
}

#define RIDGELINE_GGUF_GETTERS(T)                                             \
  template T GgufMetadata::get<T>(std::string_view) const;                    \
  template std::optional<T> GgufMetadata::find<T>(std::string_view) const;    \
  template std::vector<T> GgufMetadata::get_array<T>(std::string_view) const; \
  template std::optional<std::vector<T>> GgufMetadata::find_array<T>(std::string_view) const;
RIDGELINE_GGUF_GETTERS(uint8_t)
RIDGELINE_GGUF_GETTERS(int8_t)
RIDGELINE_GGUF_GETTERS(uint16_t)
RIDGELINE_GGUF_GETTERS(int16_t)
RIDGELINE_GGUF_GETTERS(uint32_t)
RIDGELINE_GGUF_GETTERS(int32_t)
RIDGELINE_GGUF_GETTERS(uint64_t)
RIDGELINE_GGUF_GETTERS(int64_t)
RIDGELINE_GGUF_GETTERS(bool)
RIDGELINE_GGUF_GETTERS(float)
RIDGELINE_GGUF_GETTERS(double)
RIDGELINE_GGUF_GETTERS(std::string)
RIDGELINE_GGUF_GETTERS(std::string_view)
#undef RIDGELINE_GGUF_GETTERS

std::string GgufMetadata::show(const GgufEntry& e, size_t most) const {
  ByteReader reader(e.bytes, "gguf_truncated");
  if (!e.is_array) return show_next(e, reader, most);
  std::string out = "[";
  for (uint64_t i = 0; i < e.count; i++) {
    std::string element = (i ? ", " : "") + show_next(e, reader, most);
    if (out.size() + element.size() > most) {
      out += i ? ", ..." : "...";
      break;
    }
    out += element;
  }
  return out + "]";
}

}  // namespace ridgeline
