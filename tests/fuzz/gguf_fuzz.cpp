// libFuzzer target for the GGUF reader. Beyond "no crash, no leak, no undefined behaviour" it checks: what is refused
// is refused as bad data; what is accepted has every extent inside the file, every value readable, and, written again
// by GgufHeader and read again, is the same; and that a model is described or refused.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include "base/error.h"
#include "formats/gguf.h"
#include "formats/gguf_writer.h"

namespace {

using namespace ridgeline;

void check(bool ok) {
  if (!ok) std::abort();  // which libFuzzer, and ctest, take as a finding
}

template <class T>
void copy(GgufHeader& out, const GgufMetadata& m, const GgufEntry& e) {
  if (!e.is_array) return out.set(e.key, m.get<T>(e.key));
  auto values = m.get_array<T>(e.key);
  if constexpr (std::is_same_v<T, bool>) {  // a vector<bool> has no span
    auto plain = std::make_unique<bool[]>(values.size() + 1);
    std::copy(values.begin(), values.end(), plain.get());
    out.set_array(e.key, std::span<const bool>(plain.get(), values.size()));
  } else {
    out.set_array(e.key, values);
  }
}

void copy(GgufHeader& out, const GgufMetadata& m, const GgufEntry& e) {
  switch (e.type) {
    case GgufType::uint8: return copy<uint8_t>(out, m, e);
    case GgufType::int8: return copy<int8_t>(out, m, e);
    case GgufType::uint16: return copy<uint16_t>(out, m, e);
    case GgufType::int16: return copy<int16_t>(out, m, e);
    case GgufType::uint32: return copy<uint32_t>(out, m, e);
    case GgufType::int32: return copy<int32_t>(out, m, e);
    case GgufType::float32: return copy<float>(out, m, e);
    case GgufType::boolean: return copy<bool>(out, m, e);
    case GgufType::string: return copy<std::string_view>(out, m, e);
    case GgufType::uint64: return copy<uint64_t>(out, m, e);
    case GgufType::int64: return copy<int64_t>(out, m, e);
    case GgufType::float64: return copy<double>(out, m, e);
    case GgufType::array: check(false);
  }
}

// As types it may not be: an Error, or a value.
template <class T>
void misread(const GgufMetadata& m, std::string_view key) {
  try {
    m.get<T>(key);
  } catch (const Error& e) { check(e.code() == ExitCode::bad_data); }
  try {
    m.get_array<T>(key);
  } catch (const Error& e) { check(e.code() == ExitCode::bad_data); }
}

bool same(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

void check_accepted(const GgufFile& file, std::span<const std::byte> image) {
  GgufHeader header(static_cast<uint32_t>(file.alignment()));
  for (auto& e : file.metadata().entries()) {
    check(!file.metadata().show(e).empty());
    misread<int16_t>(file.metadata(), e.key);
    misread<float>(file.metadata(), e.key);
    misread<std::string>(file.metadata(), e.key);
    if (e.key != "general.alignment") copy(header, file.metadata(), e);
  }
  for (auto& t : file.tensors()) {
    check(t.offset <= image.size() && t.bytes <= image.size() - t.offset);
    check(t.type->dtype ? file.data(t).size() == t.bytes : true);
    header.declare(t.name, *t.type, t.shape());
  }

  std::string again = header.bytes();
  if (!file.tensors().empty()) {  // the data, without what may trail it
    auto& last = file.tensors().back();
    auto data = image.subspan(file.data_begin(), last.offset + last.bytes - file.data_begin());
    again.append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  GgufFile reread = GgufFile::parse(std::as_bytes(std::span(again.data(), again.size())));
  for (auto& e : file.metadata().entries()) {
    auto* f = reread.metadata().find_entry(e.key);
    // An alignment that is the default is not written down.
    check(f ? f->type == e.type && f->is_array == e.is_array && same(f->bytes, e.bytes) : e.key == "general.alignment");
  }
  check(reread.tensors().size() == file.tensors().size());
  for (auto& t : file.tensors()) {
    auto& u = reread.tensor(t.name);
    check(u.type == t.type && u.rank == t.rank && u.ne == t.ne && u.bytes == t.bytes);
    check(u.offset - reread.data_begin() == t.offset - file.data_begin());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto image = std::as_bytes(std::span(data, size));
  std::optional<GgufFile> file;
  try {
    file = GgufFile::parse(image);
  } catch (const Error& e) { check(e.code() == ExitCode::bad_data && !std::string_view(e.what()).empty()); }
  if (!file) return 0;
  check_accepted(*file, image);
  try {
    ModelDescription model = describe_model(*file);
    check(!model.name.empty() && layers_of(model.config) > 0);
  } catch (const Error& e) { check(e.code() == ExitCode::bad_data && !std::string_view(e.what()).empty()); }
  return 0;
}
