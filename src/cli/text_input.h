// Text from outside: files and pipes, held to limits::prompt_bytes.
#pragma once
#include <istream>
#include <string>
#include <string_view>

namespace ridgeline {

// All of a stream; `where` names it in the message. Throws Error (usage, "prompt_too_long").
std::string read_text(std::istream& in, std::string_view where);
// A regular file's bytes. Throws Error (cannot_open) where it is none or cannot be read, and as above.
std::string read_text_file(const std::string& path);

}  // namespace ridgeline
