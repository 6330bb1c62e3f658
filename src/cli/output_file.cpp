#include "cli/output_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "base/printable.h"

namespace ridgeline {

void write_output(const std::string& path, std::string_view text) {
  if (path == "-") return fmt::print("{}", text);
  std::FILE* file = std::fopen(path.c_str(), "wb");
  bool written = file && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  int why = errno;
  if (file && std::fclose(file) != 0 && written) written = false, why = errno;
  if (!written) fail(ExitCode::io, "cannot_write", "cannot write {}: {}", escaped(path), std::strerror(why));
}

}  // namespace ridgeline
