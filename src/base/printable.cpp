#include "base/printable.h"

#include <fmt/format.h>

#include "base/utf8.h"

namespace ridgeline {
namespace {

// Of one character in UTF-8.
bool is_shown(std::string_view c) {
  auto at = [&](size_t i) { return static_cast<unsigned char>(c[i]); };
  if (c.size() == 1) return at(0) >= 0x20 && at(0) != 0x7F;
  if (c.size() == 2) return at(0) != 0xC2 || at(1) >= 0xA0;  // U+0080 to U+009F
  if (c.size() == 3 && at(0) == 0xE2) {
    if (at(1) == 0x80) return at(2) < 0xA8 || at(2) > 0xAE;  // U+2028 to U+202E
    if (at(1) == 0x81) return at(2) < 0xA6 || at(2) > 0xA9;  // U+2066 to U+2069
  }
  return true;
}

// Appends the text up to `most` bytes, and returns whether that was all of it.
bool append(std::string& out, std::string_view text, size_t most, bool quoted) {
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    if (step.size > most) return false;
    const std::string_view c = text.substr(0, step.size);
    if (c == "\n")
      out += "\\n";
    else if (quoted && (c == "\"" || c == "\\"))
      out += '\\', out += c;
    else if (step.kind == Utf8Step::character && is_shown(c))
      out += c;
    else
      for (char byte : c) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    text.remove_prefix(step.size);
    most -= step.size;
  }
  return true;
}

}  // namespace

std::string escaped(std::string_view text, size_t most) {
  std::string out;
  if (!append(out, text, most, false)) out += "...";
  return out;
}

std::string escaped_lines(std::string_view text) {
  std::string out;
  for (size_t end; (end = text.find_first_of("\n\t")) != text.npos; text.remove_prefix(end + 1))
    out += escaped(text.substr(0, end), end) + text[end];
  return out + escaped(text, text.size());
}

std::string printable(std::string_view text, size_t most) {
  std::string out = "\"";
  out += append(out, text, most, true) ? "\"" : "\"...";
  return out;
}

}  // namespace ridgeline
