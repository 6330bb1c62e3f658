#include "cli/text_input.h"

#include <filesystem>
#include <fstream>
#include <vector>

#include "base/error.h"

namespace ridgeline {

std::string read_text(std::istream& in, std::string_view where, uint64_t most) {
  std::string text;
  std::vector<char> part(1 << 16);
  while (in.read(part.data(), static_cast<std::streamsize>(part.size())) || in.gcount()) {
    text.append(part.data(), static_cast<size_t>(in.gcount()));
    if (text.size() > most) fail(ExitCode::usage, "text_too_long", "the text in {} exceeds {} MiB", where, most >> 20);
  }
  return text;
}

std::string read_text_file(const std::string& path, uint64_t most) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    fail(ExitCode::cannot_open, "cannot_open", "{} is not a file", path);
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(ExitCode::cannot_open, "cannot_open", "cannot read {}", path);
  return read_text(in, path, most);
}

}  // namespace ridgeline
