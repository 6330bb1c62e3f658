// Reads little-endian values out of bytes that nobody vouches for: every read is checked against what is left.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace ridgeline {

static_assert(std::endian::native == std::endian::little, "file formats are read in place, on little-endian machines");

class ByteReader {
 public:
  // id: the Error id (bad_data) raised when the bytes run out, e.g. "gguf_truncated"; it must outlive the reader.
  ByteReader(std::span<const std::byte> bytes, const char* id) : bytes_(bytes), id_(id) {}

  uint64_t position() const { return position_; }
  uint64_t left() const { return bytes_.size() - position_; }

  // Names the larger thing being read (a key, a tensor) for messages, until the next call; it must outlive the reads.
  void within(std::string_view where) { where_ = where; }

  // The next value of an arithmetic type. what: its name in messages.
  template <class T>
  T read(std::string_view what) {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>, "a byte of a file is not a bool");
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  // The next n bytes, as they lie in the file.
  std::span<const std::byte> take(uint64_t n, std::string_view what) {
    expect(n, what);
    auto taken = bytes_.subspan(position_, n);
    position_ += n;
    return taken;
  }
  std::string_view text(uint64_t n, std::string_view what) {
    auto taken = take(n, what);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }

  // Raises the error of the constructor unless n more bytes are there. Reads nothing.
  void expect(uint64_t n, std::string_view what) const {
    if (n > left()) ran_out(n, what);
  }

 private:
  [[noreturn]] void ran_out(uint64_t n, std::string_view what) const;

  std::span<const std::byte> bytes_;
  const char* id_;
  std::string_view where_;
  uint64_t position_ = 0;
};

}  // namespace ridgeline
