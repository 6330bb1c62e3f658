#include "formats/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/byte_reader.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/printable.h"
#include "base/text_table.h"
#include "formats/file_kind.h"
#include "formats/safetensors_header.h"

namespace ridgeline {
namespace {

template <class... A>
[[noreturn]] void bad(std::string id, fmt::format_string<A...> text, A&&... args) {
  fail(ExitCode::bad_data, std::move(id), text, std::forward<A>(args)...);
}

constexpr SafetensorsType types[] = {
    {"BOOL", 8, {}},    {"F4", 4, {}},           {"F6_E2M3", 6, {}},        {"F6_E3M2", 6, {}},
    {"U8", 8, {}},      {"I8", 8, {}},           {"F8_E5M2", 8, {}},        {"F8_E4M3", 8, {}},
    {"F8_E8M0", 8, {}}, {"F8_E4M3FNUZ", 8, {}},  {"F8_E5M2FNUZ", 8, {}},    {"I16", 16, {}},
    {"U16", 16, {}},    {"F16", 16, DType::f16}, {"BF16", 16, DType::bf16}, {"I32", 32, {}},
    {"U32", 32, {}},    {"F32", 32, DType::f32}, {"C64", 64, {}},           {"F64", 64, {}},
    {"I64", 64, {}},    {"U64", 64, {}},
};

constexpr uint64_t length_bytes = 8;
std::string count(uint64_t n) { return grouped(static_cast<int64_t>(n)); }  // of bytes that a file has

}  // namespace

std::span<const SafetensorsType> safetensors_types() { return types; }
const SafetensorsType* find_safetensors_type(std::string_view name) {
  auto at = std::find_if(std::begin(types), std::end(types), [&](const auto& t) { return t.name == name; });
  return at != std::end(types) ? at : nullptr;
}

std::string SafetensorsTensor::text() const {
  std::string plain = printable(name), dims = shape.empty() ? "one number" : fmt::format("{}", fmt::join(shape, " x "));
  if (plain.size() == name.size() + 2) plain = name;  // nothing in it needs quotes
  return fmt::format("{} ({}, {})", plain, type->name, dims);
}

SafetensorsFile SafetensorsFile::parse(std::span<const std::byte> image) {
  SafetensorsFile file;
  file.file_ = image;
  file.read(image, image.size());
  return file;
}

SafetensorsFile SafetensorsFile::open(const std::string& path) try {
  SafetensorsFile file;
  MappedFile mapping = MappedFile::open(path);
  file.file_ = mapping.bytes();
  uint64_t size = file.file_.size();
  // The header is parsed from a copy, never from the mapping: what was checked must be what is used, whoever writes to the
  // file meanwhile.
  auto begin = mapping.copy(0, std::min<uint64_t>(size, 64));
  uint64_t length = begin.size() < length_bytes ? 0 : ByteReader(begin, "safetensors_truncated").read<uint64_t>("");
  uint64_t header_end = length_bytes + std::min(length, limits::safetensors_header_bytes);
  if (header_end <= size) begin = mapping.copy(0, std::max<uint64_t>(header_end, begin.size()));
  file.read(begin, size);
  file.mapping_ = std::move(mapping);
  return file;
} catch (const Error& e) { throw e.loading(path); }

// begin: the file as far as its header goes, if there is one.
void SafetensorsFile::read(std::span<const std::byte> begin, uint64_t file_bytes) {
  constexpr std::string_view kind = "a safetensors file, which begins with the length of its header";
  if (file_bytes == 0) bad("safetensors_truncated", "the file is empty.");
  ByteReader reader(begin, "safetensors_truncated");
  auto head = begin.first(std::min<size_t>(begin.size(), 64));
  if (begin.size() < length_bytes) {
    if (begin.size() >= 4 && std::to_integer<int>(begin[3])) refuse_other_file(head, "not_safetensors", kind);
    reader.expect(length_bytes, "the length of the header");
  }
  uint64_t length = reader.read<uint64_t>("the length of the header");
  // The first bytes of another format read as a length beyond the limit, or at least beyond the file.
  bool is_text = begin.size() == length_bytes || begin[length_bytes] == std::byte{'{'};
  if (length > limits::safetensors_header_bytes) {
    if (!is_text || begin.size() == length_bytes) refuse_other_file(head, "not_safetensors", kind);
    bad("safetensors_limit", "the header has {} bytes; expected at most {}.", length, limits::safetensors_header_bytes);
  }
  if (length > file_bytes - length_bytes) {
    if (!is_text) refuse_other_file(head, "not_safetensors", kind);
    bad("safetensors_truncated",
        "the header has {} bytes, but the file has only {}.\n"
        "Likely an unfinished download. Fetch it again, or compare with its published sha256.",
        length, file_bytes);
  }
  SafetensorsHeader header(reader.text(length, "the header"));
  tensors_ = std::move(header.tensors);
  metadata_ = std::move(header.metadata);
  if (header.unknown_fields)
    warnings_.push_back(
        fmt::format("{} fields of tensors that the format does not have are ignored", count(header.unknown_fields)));
  place(length_bytes + length);
  index_names();
}

// The tensors, in the order of their data, fill the rest of the file: no overlap, no hole, nothing after them.
void SafetensorsFile::place(uint64_t data_begin) {
  std::stable_sort(tensors_.begin(), tensors_.end(), [](const auto& a, const auto& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.bytes < b.bytes;
  });
  uint64_t expected = 0, size = file_.size() - data_begin;
  const SafetensorsTensor* cut = nullptr;
  for (auto& t : tensors_) {
    if (t.offset != expected)
      bad("safetensors_offsets", "tensor {} begins at byte {} of the data, which {}; expected byte {}.", t.text(),
          t.offset, t.offset < expected ? "overlaps the tensor before it" : "leaves a hole before it", expected);
    expected = *checked_add(t.offset, t.bytes);  // the second of its data_offsets: it fits
    if (expected > size && !cut) cut = &t;
    t.offset += data_begin;  // a tensor that begins inside the file; others are refused below
  }
  if (cut)
    bad("safetensors_truncated",
        "tensor {} should hold {} bytes from byte {} of the data on; the file ends {} bytes early.\n"
        "Likely an unfinished download. Fetch it again, or compare with its published sha256.",
        cut->text(), cut->bytes, cut->offset - data_begin, expected - size);
  if (expected < size)
    bad("safetensors_trailing", "{} bytes after the last tensor belong to nothing; expected a file of {} bytes.",
        count(size - expected), count(data_begin + expected));
}

void SafetensorsFile::index_names() {
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  auto name = [&](uint32_t i) -> const std::string& { return tensors_[i].name; };
  std::sort(by_name_.begin(), by_name_.end(), [&](uint32_t a, uint32_t b) { return name(a) < name(b); });
  auto twice =
      std::adjacent_find(by_name_.begin(), by_name_.end(), [&](uint32_t a, uint32_t b) { return name(a) == name(b); });
  if (twice != by_name_.end()) bad("safetensors_duplicate", "tensor {} is there twice.", printable(name(*twice)));
}

const SafetensorsTensor* SafetensorsFile::find_tensor(std::string_view name) const {
  auto at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                             [this](uint32_t i, std::string_view n) { return tensors_[i].name < n; });
  return at != by_name_.end() && tensors_[*at].name == name ? &tensors_[*at] : nullptr;
}

}  // namespace ridgeline
