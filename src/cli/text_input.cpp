#include "cli/text_input.h"

#include <filesystem>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "base/limits.h"

namespace ridgeline {

std::string read_text(std::istream& in, std::string_view where) {
  std::string text;
  std::vector<char> part(1 << 16);
  while (in.read(part.data(), static_cast<std::streamsize>(part.size())) || in.gcount()) {
    text.append(part.data(), static_cast<size_t>(in.gcount()));
    if (text.size() > limits::prompt_bytes)
      fail(ExitCode::usage, "prompt_too_long", "the text in {} exceeds {} MiB", where, limits::prompt_bytes >> 20);
  }
  return text;
}

std::string read_text_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    fail(ExitCode::cannot_open, "cannot_open", "{} is not a file", path);
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(ExitCode::cannot_open, "cannot_open", "cannot read {}", path);
  return read_text(in, path);
}

}  // namespace ridgeline
