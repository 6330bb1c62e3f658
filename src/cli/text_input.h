// Text from outside: files and pipes.
#pragma once
#include <cstdint>
#include <istream>
#include <string>
#include <string_view>

#include "base/limits.h"

namespace ridgeline {

// All of a stream; `where` names it in the message. Throws Error (usage, "text_too_long") beyond `most` bytes.
std::string read_text(std::istream& in, std::string_view where, uint64_t most = limits::prompt_bytes);
// A regular file's bytes. Throws Error (cannot_open) where it is none or cannot be read, and as above.
std::string read_text_file(const std::string& path, uint64_t most = limits::prompt_bytes);

}  // namespace ridgeline
