// libFuzzer target for the safetensors reader. Beyond "no crash, no leak, no undefined behaviour" it checks: what is refused
// is refused as bad data; what is accepted fills the file from the header to the end, each tensor with as many bytes as its
// type and shape take, and, written again from what was read, reads the same.
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "formats/safetensors.h"

namespace {

using namespace ridgeline;

void check(bool ok) {
  if (!ok) std::abort();  // which libFuzzer, and ctest, take as a finding
}

void check_accepted(const SafetensorsFile& file, std::span<const std::byte> image) {
  uint64_t length, at;
  std::memcpy(&length, image.data(), 8);
  at = 8 + length;
  nlohmann::json header = nlohmann::json::object();
  for (const auto& t : file.tensors()) {
    check(t.offset == at && file.data(t).size() == t.bytes);
    at += t.bytes;
    uint64_t elements = 1;
    for (uint64_t n : t.shape) elements *= n;
    check(elements == t.elements && elements * t.type->bits == 8 * t.bytes);
    const auto* found = file.find_tensor(t.name);
    check(found == &t && !t.text().empty());
    header[t.name] = {
        {"dtype", t.type->name}, {"shape", t.shape}, {"data_offsets", {t.offset - 8 - length, at - 8 - length}}};
  }
  check(at == image.size());

  std::string text = header.dump();
  uint64_t size = text.size();
  std::string again(8, '\0');
  std::memcpy(again.data(), &size, 8);
  again += text;
  again.append(reinterpret_cast<const char*>(image.data()) + 8 + length, image.size() - 8 - length);
  SafetensorsFile reread = SafetensorsFile::parse(std::as_bytes(std::span(again)));
  check(reread.tensors().size() == file.tensors().size());
  for (const auto& t : file.tensors()) {
    const auto* u = reread.find_tensor(t.name);
    check(u && u->type == t.type && u->shape == t.shape && u->bytes == t.bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto image = std::as_bytes(std::span(data, size));
  std::optional<SafetensorsFile> file;
  try {
    file = SafetensorsFile::parse(image);
  } catch (const Error& e) { check(e.code() == ExitCode::bad_data && !std::string_view(e.what()).empty()); }
  if (file) check_accepted(*file, image);
  return 0;
}
