// Writes GGUF files, version 3, little endian: first a header is made in memory, then the tensors are streamed after
// it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/ggml_types.h"

namespace ridgeline {

// What comes before the tensor data. Names, counts and sizes are held to the limits that the reader has (internal
// errors: a caller that breaks them is wrong). Duplicates are not looked for here; the reader refuses them.
class GgufHeader {
 public:
  // alignment of the tensor data: a power of two from 8 to 4096. One other than the default is written as metadata.
  explicit GgufHeader(uint32_t alignment = 32);

  // T is an integer type of fixed width, bool, float, double, or a string; the file's type follows from it.
  template <class T>
  void set(std::string_view key, T value);
  void set(std::string_view key, const char* value) { set(key, std::string_view(value)); }
  void set(std::string_view key, const std::string& value) { set(key, std::string_view(value)); }
  template <class T>
  void set_array(std::string_view key, std::span<const T> values);
  template <class T>
  void set_array(std::string_view key, const std::vector<T>& values) {
    set_array(key, std::span(values));
  }

  // The next tensor, its shape row-major (the contiguous dimension last).
  void declare(std::string_view name, const GgmlType& type, std::span<const int64_t> shape);

  // The finished header, padded to where the data of the first tensor begins.
  std::string bytes() const;
  // The bytes of each declared tensor, without the padding after it.
  const std::vector<uint64_t>& tensor_bytes() const { return tensor_bytes_; }
  uint32_t alignment() const { return alignment_; }

 private:
  void key(std::string_view key);
  uint32_t alignment_;
  uint64_t entries_ = 0, data_bytes_ = 0;
  std::string metadata_, tensors_;
  std::vector<uint64_t> tensor_bytes_;
};

// A file that is whole or absent: it is written under a temporary name beside its own, synced, and renamed at the end.
// Every failure is an Error io, "cannot_write"; the temporary file is removed then, and when finish() is never reached.
class GgufWriter {
 public:
  GgufWriter(std::string path, const GgufHeader& header);
  ~GgufWriter();
  GgufWriter(const GgufWriter&) = delete;
  GgufWriter& operator=(const GgufWriter&) = delete;

  // The next bytes of the tensors in the order they were declared, in pieces of any size that end with a tensor's end
  // at the latest. Padding between tensors is written here.
  void write(std::span<const std::byte> bytes);
  // All tensors must have been written. Returns when the file is on disk under its name.
  void finish();

 private:
  void append(std::string_view bytes);
  void flush();
  [[noreturn]] void broken(std::string_view what) const;

  std::string path_, temporary_;
  int descriptor_ = -1;
  uint32_t alignment_;
  std::vector<uint64_t> tensor_bytes_;
  size_t tensor_ = 0;     // the one being written
  uint64_t written_ = 0;  // of it
  std::string buffer_;
};

}  // namespace ridgeline
