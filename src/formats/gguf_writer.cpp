#include "formats/gguf_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <type_traits>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/printable.h"
#include "formats/gguf_metadata.h"

namespace ridgeline {
namespace {

constexpr uint32_t default_alignment = 32;
constexpr size_t buffer_bytes = 1 << 20;  // large enough that system calls do not count

template <class T>
  requires std::is_arithmetic_v<T>
void put(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}
void put(std::string& out, bool value) { put<uint8_t>(out, value); }
void put(std::string& out, std::string_view text) {
  put<uint64_t>(out, text.size());
  out += text;
}

template <class T>
constexpr GgufType type_of = GgufType::string;
template <>
constexpr GgufType type_of<uint8_t> = GgufType::uint8;
template <>
constexpr GgufType type_of<int8_t> = GgufType::int8;
template <>
constexpr GgufType type_of<uint16_t> = GgufType::uint16;
template <>
constexpr GgufType type_of<int16_t> = GgufType::int16;
template <>
constexpr GgufType type_of<uint32_t> = GgufType::uint32;
template <>
constexpr GgufType type_of<int32_t> = GgufType::int32;
template <>
constexpr GgufType type_of<uint64_t> = GgufType::uint64;
template <>
constexpr GgufType type_of<int64_t> = GgufType::int64;
template <>
constexpr GgufType type_of<float> = GgufType::float32;
template <>
constexpr GgufType type_of<double> = GgufType::float64;
template <>
constexpr GgufType type_of<bool> = GgufType::boolean;

void put_type(std::string& out, GgufType type) { put(out, static_cast<uint32_t>(type)); }

uint64_t padding(uint64_t size, uint32_t alignment) { return *checked_align(size, alignment) - size; }

void require_name(std::string_view name, uint64_t most) {
  bool plain = std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
  require(!name.empty() && name.size() <= most && plain, "{} cannot be a name in a GGUF file", printable(name));
}

}  // namespace

GgufHeader::GgufHeader(uint32_t alignment) : alignment_(alignment) {
  require(std::has_single_bit(alignment) && alignment >= limits::alignment_least && alignment <= limits::alignment_most,
          "an alignment of {} bytes", alignment);
  if (alignment != default_alignment) set("general.alignment", alignment);
}

void GgufHeader::key(std::string_view key) {
  require_name(key, limits::gguf_key_bytes);
  require(++entries_ <= limits::gguf_metadata_entries, "more than {} metadata entries", limits::gguf_metadata_entries);
  put(metadata_, key);
}

template <class T>
void GgufHeader::set(std::string_view key, T value) {
  this->key(key);
  put_type(metadata_, type_of<T>);
  put(metadata_, value);
}

template <class T>
void GgufHeader::set_array(std::string_view key, std::span<const T> values) {
  require(values.size() <= limits::gguf_array_elements, "{}: an array of {} elements", key, values.size());
  this->key(key);
  put_type(metadata_, GgufType::array);
  put_type(metadata_, type_of<T>);
  put<uint64_t>(metadata_, values.size());
  for (const T& value : values) put(metadata_, value);
}

#define RIDGELINE_GGUF_SETTER(T)                         \
  template void GgufHeader::set<T>(std::string_view, T); \
  template void GgufHeader::set_array<T>(std::string_view, std::span<const T>);
RIDGELINE_GGUF_SETTER(uint8_t)
RIDGELINE_GGUF_SETTER(int8_t)
RIDGELINE_GGUF_SETTER(uint16_t)
RIDGELINE_GGUF_SETTER(int16_t)
RIDGELINE_GGUF_SETTER(uint32_t)
RIDGELINE_GGUF_SETTER(int32_t)
RIDGELINE_GGUF_SETTER(uint64_t)
RIDGELINE_GGUF_SETTER(int64_t)
RIDGELINE_GGUF_SETTER(float)
RIDGELINE_GGUF_SETTER(double)
RIDGELINE_GGUF_SETTER(bool)
RIDGELINE_GGUF_SETTER(std::string_view)
#undef RIDGELINE_GGUF_SETTER
template void GgufHeader::set_array<std::string>(std::string_view, std::span<const std::string>);

void GgufHeader::declare(std::string_view name, const GgmlType& type, std::span<const int64_t> shape) {
  require_name(name, limits::gguf_tensor_name_bytes - 1);
  require(!type.removed(), "{}: the type {} was removed from the format", name, type.name);
  require(!shape.empty() && shape.size() <= limits::tensor_dimensions, "{}: {} dimensions", name, shape.size());
  require(shape.back() % static_cast<int64_t>(type.block) == 0, "{}: rows of {} are not whole blocks", name,
          shape.back());
  put(tensors_, name);
  put(tensors_, static_cast<uint32_t>(shape.size()));
  std::optional<uint64_t> elements = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    require(shape[d] > 0, "{}: a dimension of {}", name, shape[d]);
    put<uint64_t>(tensors_, static_cast<uint64_t>(shape[d]));
    elements = checked_mul(*elements, static_cast<uint64_t>(shape[d]));
    require(elements && *elements <= INT64_MAX, "{}: too many elements", name);
  }
  put(tensors_, type.id);
  put(tensors_, data_bytes_);
  auto bytes = checked_mul(*elements / type.block, type.block_bytes);
  auto end = bytes ? checked_add(data_bytes_, *bytes) : std::nullopt;
  auto next = end ? checked_align(*end, alignment_) : std::nullopt;
  require(next.has_value(), "{}: the tensors take more than 2^64 bytes", name);
  tensor_bytes_.push_back(*bytes);
  data_bytes_ = *next;
}

std::string GgufHeader::bytes() const {
  std::string out = "GGUF";
  put<uint32_t>(out, 3);
  put<uint64_t>(out, tensor_bytes_.size());
  put(out, entries_);
  out += metadata_;
  out += tensors_;
  out.append(padding(out.size(), alignment_), '\0');
  return out;
}

GgufWriter::GgufWriter(std::string path, const GgufHeader& header)
    : path_(std::move(path)),
      temporary_(fmt::format("{}.{}.partial", path_, getpid())),
      alignment_(header.alignment()),
      tensor_bytes_(header.tensor_bytes()),
      buffer_(header.bytes()) {
  descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) broken("creating");
}

GgufWriter::~GgufWriter() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

void GgufWriter::write(std::span<const std::byte> bytes) {
  require(tensor_ < tensor_bytes_.size() && bytes.size() <= tensor_bytes_[tensor_] - written_,
          "{} bytes written beyond the end of tensor {}", bytes.size(), tensor_);
  append({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  written_ += bytes.size();
  if (written_ < tensor_bytes_[tensor_]) return;
  append(std::string(padding(written_, alignment_), '\0'));
  tensor_++;
  written_ = 0;
}

void GgufWriter::finish() {
  require(tensor_ == tensor_bytes_.size(), "{} of {} tensors written", tensor_, tensor_bytes_.size());
  flush();
  if (fsync(descriptor_)) broken("syncing");
  if (rename(temporary_.c_str(), path_.c_str())) broken("naming");
  close(std::exchange(descriptor_, -1));
  // The new name is an entry of the directory, which has to reach the disk too. Not every file system can sync one.
  auto directory = std::filesystem::path(path_).parent_path();
  int parent = open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (parent < 0) return;
  fsync(parent);
  close(parent);
}

void GgufWriter::append(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() >= buffer_bytes) flush();
}

void GgufWriter::flush() {
  for (std::string_view rest = buffer_; !rest.empty();) {
    ssize_t n = ::write(descriptor_, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) broken("writing");
    rest.remove_prefix(static_cast<size_t>(n));
  }
  buffer_.clear();
}

void GgufWriter::broken(std::string_view what) const {
  fail(ExitCode::io, "cannot_write", "cannot write {}: {} {} failed: {}", path_, what, temporary_,
       std::strerror(errno));
}

}  // namespace ridgeline
