#include "base/utf8.h"

#include <algorithm>
#include <cstdint>

namespace ridgeline {

Utf8Step utf8_step(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return {Utf8Step::character, 1};

  size_t size = first >= 0xC2 && first < 0xE0   ? 2
                : first >= 0xE0 && first < 0xF0 ? 3
                : first >= 0xF0 && first < 0xF5 ? 4
                                                : 0;
  if (size == 0) return {Utf8Step::malformed, 1};
  // The second byte's range rules out overlong forms, surrogates and what lies beyond U+10FFFF.
  uint8_t least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  uint8_t most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  for (size_t i = 1; i < size; i++) {
    if (i == text.size()) return {Utf8Step::incomplete, i};
    if (byte(i) < least || byte(i) > most) return {Utf8Step::malformed, i};
    least = 0x80, most = 0xBF;
  }
  return {Utf8Step::character, size};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    if (step.kind != Utf8Step::character) return false;
    text.remove_prefix(step.size);
  }
  return true;
}

void append_utf8(std::string& text, std::string& to) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const Utf8Step step = utf8_step(rest);
    if (step.kind == Utf8Step::incomplete) break;
    to += step.kind == Utf8Step::character ? rest.substr(0, step.size) : replacement_character;
    rest.remove_prefix(step.size);
  }
  text.erase(0, text.size() - rest.size());
}

}  // namespace ridgeline
