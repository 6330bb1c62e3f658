#include "formats/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

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
  file.parts_.push_back({{}, {}, image});
  GgufParser(image, image.size()).run(file);
  file.index_names();
  return file;
}

GgufFile GgufFile::open(const std::string& path) {
  GgufFile file = open_one(path);
  try {
    file.join_parts(path);
    file.index_names();
  } catch (const Error& e) { throw e.loading(path); }
  return file;
}

GgufFile GgufFile::open_one(const std::string& path) try {
  MappedFile mapping = MappedFile::open(path);
  uint64_t size = mapping.bytes().size(), most = std::min(size, limits::gguf_header_bytes);
  // The header is parsed from a copy, never from the mapping: another process may write to the file, and what was
  // checked must be what is used. How long it is comes out only while parsing, so the copy grows until it is long
  // enough.
  for (uint64_t length = std::min<uint64_t>(1 << 20, most);; length = std::min(2 * length, most)) {
    GgufFile file;
    Part& part = file.parts_.emplace_back();
    part.header = mapping.copy(0, length);
    part.file = mapping.bytes();
    try {
      GgufParser(part.header, size).run(file);
    } catch (const Error& e) {
      if (e.id() != GgufParser::goes_on) throw;
      if (length < most) continue;
      fail(ExitCode::bad_data, "gguf_limit", "the header takes more than {} bytes, the most a file may have.", most);
    }
    part.mapping = std::move(mapping);
    return file;
  }
} catch (const Error& e) { throw e.loading(path); }

void GgufFile::join(GgufFile part) {
  auto number = static_cast<uint32_t>(parts_.size());
  for (GgufTensor& t : part.tensors_) {
    t.part = number;
    tensors_.push_back(t);
  }
  for (auto& w : part.warnings_) warnings_.push_back(fmt::format("part {}: {}", number + 1, w));
  parts_.push_back(std::move(part.parts_.front()));
}

void GgufFile::index_names() {
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  auto name = [&](uint32_t i) { return tensors_[i].name; };
  std::sort(by_name_.begin(), by_name_.end(), [&](uint32_t a, uint32_t b) { return name(a) < name(b); });
  auto twice =
      std::adjacent_find(by_name_.begin(), by_name_.end(), [&](uint32_t a, uint32_t b) { return name(a) == name(b); });
  if (twice != by_name_.end())
    fail(ExitCode::bad_data, "gguf_duplicate_tensor", "tensor {} is there twice.", name(*twice));
}

std::string GgufFile::path() const { return parts_[0].mapping ? parts_[0].mapping->path() : std::string(); }

std::vector<const MappedFile*> GgufFile::files() const {
  std::vector<const MappedFile*> files;
  for (const Part& part : parts_)
    if (part.mapping) files.push_back(&*part.mapping);
  return files;
}

int64_t GgufFile::file_bytes() const {
  int64_t sum = 0;
  for (const Part& part : parts_) sum += static_cast<int64_t>(part.file.size());
  return sum;
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

std::optional<StoredTensor> GgufFile::find(std::string_view name) const {
  const GgufTensor* t = find_tensor(name);
  return t ? std::optional(stored(*t)) : std::nullopt;
}

StoredTensor GgufFile::stored(const GgufTensor& t) const {
  const Part& part = parts_[t.part];
  return {.name = t.name,
          .type = t.type->name,
          .dtype = t.type->dtype,
          .shape = t.shape(),
          .elements = static_cast<int64_t>(t.elements),
          .offset = t.offset,
          .bytes = part.file.subspan(t.offset, t.bytes),
          .file = part.mapping ? &*part.mapping : nullptr,
          .format = FileFormat::gguf};
}

std::string GgufFile::computing_types() const { return computing_ggml_types(); }

DType GgufFile::dtype(const GgufTensor& tensor) const {
  if (tensor.type->dtype) return *tensor.type->dtype;
  fail(ExitCode::bad_data, "gguf_unsupported_type",
       "tensor {}: the type {} is known, but nothing computes with it here.\nUse a file whose tensors are of {}.",
       tensor.text(), tensor.type->name, computing_types());
}

std::span<const std::byte> GgufFile::data(const GgufTensor& tensor) const {
  dtype(tensor);
  return parts_[tensor.part].file.subspan(tensor.offset, tensor.bytes);
}

}  // namespace ridgeline
