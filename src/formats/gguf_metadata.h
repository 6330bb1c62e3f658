// The key-value part of a GGUF file. Nothing is handed out raw: a caller names the type it wants, and gets it or an
// error.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline {

// Ids as the format has them (gguf.md, "enum gguf_metadata_value_type").
// clang-format off
enum class GgufType : uint32_t {
  uint8, int8, uint16, int16, uint32, int32, float32, boolean, string, array, uint64, int64, float64
};
// clang-format on
inline constexpr uint32_t gguf_type_count = 13;
std::string_view name_of(GgufType type);          // "UINT32"
std::optional<uint64_t> bytes_of(GgufType type);  // of one value; none for strings and arrays

// One key and where its value lies. Views point into the header of the file, which GgufFile keeps.
struct GgufEntry {
  std::string_view key;
  GgufType type;  // of the value, or of an array's elements; never `array`, since arrays do not nest
  bool is_array;
  uint64_t count;                    // elements of an array, else 1
  std::span<const std::byte> bytes;  // checked to hold `count` well-formed values of `type`
};

class GgufMetadata {
 public:
  GgufMetadata() = default;
  // Checks that no key is there twice (bad_data "gguf_duplicate_key").
  explicit GgufMetadata(std::vector<GgufEntry> entries);

  const std::vector<GgufEntry>& entries() const { return entries_; }  // in the order of the file
  const GgufEntry* find_entry(std::string_view key) const;            // nullptr when missing
  bool has(std::string_view key) const { return find_entry(key); }

  // The value of a key as T: an integer type, bool, float, double, std::string, or std::string_view (a view into the
  // header: valid as long as the file object). Integers of any width and sign convert when the value fits, FLOAT32
  // widens to double; nothing else converts. Errors, all bad_data and naming the key, what was expected and what found:
  // "gguf_key_missing", "gguf_key_type", "gguf_key_range". find() gives nothing for a missing key, but is as strict
  // about the type of one that is there.
  template <class T>
  T get(std::string_view key) const;
  template <class T>
  std::optional<T> find(std::string_view key) const;
  // The same for arrays; a single value is not an array of one.
  template <class T>
  std::vector<T> get_array(std::string_view key) const;
  template <class T>
  std::optional<std::vector<T>> find_array(std::string_view key) const;

  // The value for a person to read, on one line: numbers, quoted strings, the first few elements of an array.
  std::string show(const GgufEntry& entry, size_t most = 80) const;

 private:
  const GgufEntry& at(std::string_view key) const;
  std::vector<GgufEntry> entries_;
  std::vector<uint32_t> by_key_;  // sorted, not hashed: no choice of keys makes it slow
};

}  // namespace ridgeline
