#include "formats/gguf.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/limits.h"
#include "formats/gguf_parser.h"

namespace ridgeline {

std::vector<int64_t> GgufTensor::shape() const {
  std::vector<int64_t> dims(static_cast<size_t>(rank));
  std::transform(ne.begin(), ne.begin() + rank, dims.rbegin(), [](uint64_t n) { return static_cast<int64_t>(n); });
  return dims;
}

std::string GgufTensor::text() const {
  return fmt::format("{} ({}, {})", name, type->name, fmt::join(ne.begin(), ne.begin() + rank, " x "));
}

GgufFile GgufFile::parse(std::span<const std::byte> image) {
  GgufFile file;
  file.file_ = image;
  GgufParser(image, image.size()).run(file);
  return file;
}

GgufFile GgufFile::open(const std::string& path) try {
  MappedFile mapping = MappedFile::open(path);
  uint64_t size = mapping.bytes().size(), most = std::min(size, limits::gguf_header_bytes);
  // The header is parsed from a copy, never from the mapping: another process may write to the file, and what was
  // checked must be what is used. How long it is comes out only while parsing, so the copy grows until it is long
  // enough.
  for (uint64_t length = std::min<uint64_t>(1 << 20, most);; length = std::min(2 * length, most)) {
    GgufFile file;
    file.header_ = mapping.copy(0, length);
    file.file_ = mapping.bytes();
    try {
      GgufParser(file.header_, size).run(file);
    } catch (const Error& e) {
      if (e.id() != GgufParser::goes_on) throw;
      if (length < most) continue;
      fail(ExitCode::bad_data, "gguf_limit", "the header takes more than {} bytes, the most a file may have.", most);
    }
    file.mapping_ = std::move(mapping);
    return file;
  }
} catch (const Error& e) {
  if (e.code() == ExitCode::cannot_open) throw;  // says it all
  throw Error(e.code(), e.id(), fmt::format("cannot load {}\n{}", path, e.what()));
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
  auto at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                             [this](uint32_t i, std::string_view n) { return tensors_[i].name < n; });
  return at != by_name_.end() && tensors_[*at].name == name ? &tensors_[*at] : nullptr;
}

const GgufTensor& GgufFile::tensor(std::string_view name) const {
  if (auto* found = find_tensor(name)) return *found;
  fail(ExitCode::bad_data, "gguf_tensor_missing", "tensor {} is missing; the file holds {} tensors.", name,
       tensors_.size());
}

DType GgufFile::dtype(const GgufTensor& tensor) const {
  if (tensor.type->dtype) return *tensor.type->dtype;
  std::string known;
  for (auto& type : ggml_types()) {
    if (type.dtype) known += fmt::format("{}{}", known.empty() ? "" : ", ", type.name);
  }
  fail(ExitCode::bad_data, "gguf_unsupported_type",
       "tensor {}: the type {} is known, but nothing computes with it here.\nUse a file whose tensors are of {}.",
       tensor.text(), tensor.type->name, known);
}

std::span<const std::byte> GgufFile::data(const GgufTensor& tensor) const {
  dtype(tensor);
  return file_.subspan(tensor.offset, tensor.bytes);
}

}  // namespace ridgeline
