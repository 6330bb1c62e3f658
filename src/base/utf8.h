// UTF-8 as Unicode 16 section 3.9 defines it (table 3-7; "substitution of maximal subparts" for what is not).
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace ridgeline {

struct Utf8Step {
  enum Kind { character, malformed, incomplete } kind;  // incomplete: the text ends inside what may be a character
  size_t size;                                          // bytes, at least 1
};

// The first character of a text that is not empty.
Utf8Step utf8_step(std::string_view text);

bool is_utf8(std::string_view text);

// Moves all of `text` but an incomplete end to `to`, each malformed part as one U+FFFD.
void append_utf8(std::string& text, std::string& to);

inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

}  // namespace ridgeline
