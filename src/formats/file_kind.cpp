#include "formats/file_kind.h"

#include "base/error.h"
#include "base/printable.h"

namespace ridgeline {
namespace {

struct OtherFile {
  std::string_view begins, is;
};
constexpr OtherFile other_files[] = {
    {"GGUF", "a GGUF file, of another name"},
    {"FUGG", "a GGUF file of a big-endian machine; convert the model again, for little endian"},
    {"GGML", "an unversioned GGML file, a format before GGUF; convert the model again"},
    {"lmgg", "an unversioned GGML file, a format before GGUF; convert the model again"},
    {"GGMF", "a GGMF file, a format before GGUF; convert the model again"},
    {"fmgg", "a GGMF file, a format before GGUF; convert the model again"},
    {"GGJT", "a GGJT file, a format before GGUF; convert the model again"},
    {"tjgg", "a GGJT file, a format before GGUF; convert the model again"},
    {"ggla", "a GGLA adapter, a format before GGUF; convert the adapter again"},
    {"algg", "a GGLA adapter, a format before GGUF; convert the adapter again"},
    {"PK\x03\x04", "a zip archive (PyTorch's format, perhaps), which is not read; convert the model to safetensors"},
    {"\x80\x02", "a Python pickle (PyTorch's old format), which is never read; convert the model to safetensors"},
    {"\x80\x03", "a Python pickle, which is never read; convert the model to safetensors"},
    {"\x80\x04", "a Python pickle, which is never read; convert the model to safetensors"},
    {"\x80\x05", "a Python pickle, which is never read; convert the model to safetensors"},
    {"\x1f\x8b", "a gzip archive; unpack it first"},
    {"\x89HDF", "an HDF5 file; convert the model to safetensors"},
    {"<", "a web page or XML, likely saved in place of the file; download it again"},
    {"{", "JSON"},
};
constexpr std::string_view lfs_pointer = "version https://git-lfs.github.com/spec/";

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

bool is_lfs_pointer(std::span<const std::byte> begin) { return as_text(begin).starts_with(lfs_pointer); }

void refuse_other_file(std::span<const std::byte> bytes, const char* id, std::string_view expected) {
  std::string_view begin = as_text(bytes);
  if (is_lfs_pointer(bytes)) {
    fail(ExitCode::bad_data, "lfs_pointer",
         "this is a Git LFS pointer, the text that stands in for a large file, not the model itself.\n"
         "Fetch the file it points to: `git lfs pull`, or download the model from its page.");
  }
  for (auto& other : other_files) {
    if (begin.starts_with(other.begins)) { fail(ExitCode::bad_data, id, "expected {}, found {}.", expected, other.is); }
  }
  if (begin.size() > 8 && begin[8] == '{')
    fail(ExitCode::bad_data, id, "expected {}, found a safetensors file.", expected);
  fail(ExitCode::bad_data, id, "expected {}; this one begins with {}.", expected, printable(begin.substr(0, 4)));
}

}  // namespace ridgeline
