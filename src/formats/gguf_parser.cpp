#include "formats/gguf_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/printable.h"
#include "formats/file_kind.h"

namespace ridgeline {
namespace {

template <class... A>
[[noreturn]] void bad(std::string id, fmt::format_string<A...> text, A&&... args) {
  fail(ExitCode::bad_data, std::move(id), text, std::forward<A>(args)...);
}

// Digits in groups of three, as people compare file sizes.
std::string grouped(uint64_t n) {
  return n < 1000 ? fmt::format("{}", n) : fmt::format("{},{:03}", grouped(n / 1000), n % 1000);
}

constexpr bool is_name_byte(char c) { return c > ' ' && c < 0x7f; }

}  // namespace

GgufParser::GgufParser(std::span<const std::byte> header, uint64_t file_bytes)
    : header_(header),
      file_bytes_(file_bytes),
      reader_(header, header.size() < file_bytes ? goes_on : "gguf_truncated") {}

void GgufParser::run(GgufFile& file) {
  magic_and_version(file);
  // The least a tensor takes: name (8 + 1), rank 4, one dimension 8, type 4, offset 8; the least an entry takes: key
  // (8 + 1), type 4, value 1. So a count that cannot be true is refused before it costs anything.
  uint64_t tensors = count("n_tensors, the number of tensors,", limits::gguf_tensors, 33);
  uint64_t entries = count("n_kv, the number of metadata entries,", limits::gguf_metadata_entries, 14);

  std::vector<GgufEntry> list;
  for (uint64_t i = 0; i < entries; i++) list.push_back(entry());
  file.metadata_ = GgufMetadata(std::move(list));
  file.alignment_ = alignment(file.metadata_);
  file.tensors_.clear();
  for (uint64_t i = 0; i < tensors; i++) file.tensors_.push_back(tensor());

  file.data_begin_ = *checked_align(reader_.position(), file.alignment_);  // of a place in memory: it fits
  place(file);
}

void GgufParser::magic_and_version(GgufFile& file) {
  if (file_bytes_ == 0) bad("gguf_truncated", "the file is empty.");
  auto begin = header_.first(std::min<size_t>(header_.size(), 64));
  constexpr std::string_view magic = "GGUF";
  if (std::memcmp(begin.data(), magic.data(), std::min(begin.size(), magic.size())))
    refuse_other_file(begin, "bad_magic", "a GGUF file, which begins with \"GGUF\"");
  reader_.take(4, "the magic number");
  file.version_ = reader_.read<uint32_t>("the version");
  if (file.version_ == 2 || file.version_ == 3) return;
  std::string_view hint = ".";
  if (file.version_ == 1) hint = ": it is from before the format's first release; convert the model again.";
  if (file.version_ > 3) hint = ": a newer file, or a damaged one.";
  if (uint32_t swapped = __builtin_bswap32(file.version_); swapped >= 1 && swapped <= 0xff) {
    hint = ": its bytes are in big-endian order; convert the model again, for little endian.";
  }
  bad("gguf_version", "expected GGUF version 2 or 3, found {}{}", file.version_, hint);
}

uint64_t GgufParser::count(std::string_view what, uint64_t most, uint64_t least_bytes_each) {
  uint64_t n = reader_.read<uint64_t>(what);
  if (n > most) bad("gguf_limit", "{} is {}; it exceeds {}, the most a file may have.", what, n, most);
  uint64_t left = file_bytes_ - reader_.position();
  if (n > left / least_bytes_each) {
    bad("gguf_truncated",
        "{} is {}; that takes at least {} bytes, but the file has {} left.\n"
        "Likely an unfinished download or a damaged file. Fetch it again, or compare with its published sha256.",
        what, n, n * least_bytes_each, left);
  }
  return n;
}

std::string_view GgufParser::string(std::string_view what, uint64_t most) {
  uint64_t at = reader_.position(), n = reader_.read<uint64_t>(what);
  if (n > most) bad("gguf_limit", "{} at offset {} has {} bytes; expected at most {}.", what, at, n, most);
  return reader_.text(n, what);
}

// A key or a tensor's name: they are compared, printed and looked up, so each has one spelling: printable ASCII, no
// space.
std::string_view GgufParser::name(std::string_view what, uint64_t most) {
  reader_.within({});
  uint64_t at = reader_.position();
  auto text = string(what, most);
  if (text.empty()) bad("gguf_name", "{} at offset {} is empty.", what, at);
  if (!std::all_of(text.begin(), text.end(), is_name_byte)) {
    bad("gguf_name", "{} at offset {} is {}; expected printable ASCII without spaces.", what, at, printable(text));
  }
  reader_.within(text);
  return text;
}

GgufType GgufParser::type(std::string_view what) {
  uint64_t at = reader_.position();
  uint32_t id = reader_.read<uint32_t>(what);
  if (id >= gguf_type_count) {
    bad("gguf_value_type", "{} at offset {} is {}; expected 0 to {}.", what, at, id, gguf_type_count - 1);
  }
  return static_cast<GgufType>(id);
}

GgufEntry GgufParser::entry() {
  GgufEntry e = {.key = name("a metadata key", limits::gguf_key_bytes), .count = 1};
  e.type = type("the type of a metadata value");
  e.is_array = e.type == GgufType::array;
  if (e.is_array) {
    e.type = type("the type of an array's elements");
    if (e.type == GgufType::array)
      bad("gguf_value_type", "metadata key {} is an array of arrays; none is known.", e.key);
    e.count = reader_.read<uint64_t>("an array's length");
    if (e.count > limits::gguf_array_elements) {
      bad("gguf_limit", "metadata key {} is an array of {} elements; expected at most {}.", e.key, e.count,
          limits::gguf_array_elements);
    }
  }
  uint64_t begin = reader_.position();
  values(e);
  e.bytes = header_.subspan(begin, reader_.position() - begin);
  return e;
}

void GgufParser::values(const GgufEntry& e) {
  if (auto each = bytes_of(e.type)) {
    auto bytes = reader_.take(e.count * *each, "a metadata value");  // at most 8 times the limit of arrays
    auto is_bool = [](std::byte b) { return b <= std::byte{1}; };
    if (e.type == GgufType::boolean && !std::all_of(bytes.begin(), bytes.end(), is_bool)) {
      bad("gguf_bool", "metadata key {} has a bool that is neither 0 nor 1.", e.key);
    }
    return;
  }
  reader_.expect(e.count * sizeof(uint64_t), "an array of strings");  // their lengths alone
  for (uint64_t i = 0; i < e.count; i++) string("a metadata string", limits::gguf_string_bytes);
}

uint64_t GgufParser::alignment(const GgufMetadata& metadata) const {
  constexpr std::string_view key = "general.alignment";
  auto* e = metadata.find_entry(key);
  if (!e) return 32;  // the format's default
  if (e->is_array || e->type != GgufType::uint32) {
    bad("gguf_alignment", "{} has the type {}{}; expected UINT32.", key, e->is_array ? "array of " : "",
        name_of(e->type));
  }
  uint32_t n = metadata.get<uint32_t>(key);
  if (!std::has_single_bit(n) || n < limits::alignment_least || n > limits::alignment_most) {
    bad("gguf_alignment", "{} is {}; expected a power of two from {} to {}.", key, n, limits::alignment_least,
        limits::alignment_most);
  }
  return n;
}

GgufTensor GgufParser::tensor() {
  GgufTensor t = {.name = name("a tensor's name", limits::gguf_tensor_name_bytes - 1),
                  .ne = {1, 1, 1, 1},
                  .elements = 1,
                  .part = 0};
  uint32_t rank = reader_.read<uint32_t>("the number of dimensions");
  if (rank < 1 || rank > limits::tensor_dimensions) {
    bad("gguf_dimensions", "tensor {} has {} dimensions; expected 1 to {}.", t.name, rank, limits::tensor_dimensions);
  }
  t.rank = static_cast<int>(rank);
  for (uint32_t d = 0; d < rank; d++) {
    t.ne[d] = reader_.read<uint64_t>("a dimension");
    auto elements = checked_mul(t.elements, t.ne[d]);
    if (t.ne[d] == 0 || !elements || *elements > INT64_MAX) {
      bad("gguf_dimensions", "tensor {}: dimension {} is {}; expected at least 1, and fewer than 2^63 elements in all.",
          t.name, d, t.ne[d]);
    }
    t.elements = *elements;
  }
  uint32_t id = reader_.read<uint32_t>("a tensor's type");
  t.type = find_ggml_type(id);
  if (!t.type) bad("gguf_tensor_type", "tensor {} has the unknown type {}.", t.name, id);
  if (t.type->removed()) {
    bad("gguf_tensor_type",
        "tensor {} has the type {} ({}), which was removed from the format; convert the model again.", t.name,
        t.type->name, id);
  }
  if (t.ne[0] % t.type->block) {
    bad("gguf_dimensions", "tensor {}: rows of {} elements are not whole blocks of {} ({} elements).", t.name, t.ne[0],
        t.type->name, t.type->block);
  }
  auto bytes = checked_mul(t.elements / t.type->block, t.type->block_bytes);
  if (!bytes) bad("gguf_dimensions", "tensor {} would take more than 2^64 bytes.", t.text());
  t.bytes = *bytes;
  t.offset = reader_.read<uint64_t>("a tensor's offset");
  return t;
}

// The data section is the tensors in their order, each begun at the next multiple of the alignment: no overlap, no
// hole.
void GgufParser::place(GgufFile& file) const {
  uint64_t expected = file.data_begin_;  // where the next tensor has to begin, in the file
  const GgufTensor* cut = nullptr;       // the first that is not all there
  uint64_t data_end = file.data_begin_;
  for (auto& t : file.tensors_) {
    uint64_t relative = expected - file.data_begin_;
    if (t.offset % file.alignment_) {
      bad("gguf_offset", "tensor {} begins at byte {} of the data; expected a multiple of {}, the alignment.", t.name,
          t.offset, file.alignment_);
    }
    if (t.offset != relative) {
      bad("gguf_offset", "tensor {} begins at byte {} of the data, which {}; expected byte {}.", t.name, t.offset,
          t.offset < relative ? "overlaps the tensors before it" : "leaves a hole after the tensor before it",
          relative);
    }
    t.offset = expected;
    auto end = checked_add(expected, t.bytes);
    auto next = end ? checked_align(*end, file.alignment_) : std::nullopt;
    if (!next) bad("gguf_offset", "the tensors up to {} would take more than 2^64 bytes.", t.text());
    data_end = *end;
    expected = *next;
    if (data_end > file_bytes_ && !cut) cut = &t;
  }
  if (cut) {
    bad("gguf_truncated",
        "tensor {} should hold {} bytes at offset {}; the file ends {} bytes early.\n"
        "Likely an unfinished download: expected {} bytes, found {}. Fetch it again, or compare with its published "
        "sha256.",
        cut->text(), grouped(cut->bytes), grouped(cut->offset), grouped(expected - file_bytes_), grouped(expected),
        grouped(file_bytes_));
  }
  if (file_bytes_ > expected) {
    file.warnings_.push_back(fmt::format("{} bytes after the last tensor belong to nothing and are ignored",
                                         grouped(file_bytes_ - expected)));
  }
}

}  // namespace ridgeline
