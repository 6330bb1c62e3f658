// What a command writes instead of printing it.
#pragma once
#include <string>
#include <string_view>

namespace ridgeline {

// Writes a file anew; "-" is standard output. Throws Error (io, "cannot_write") where it cannot be written whole.
void write_output(const std::string& path, std::string_view text);

}  // namespace ridgeline
