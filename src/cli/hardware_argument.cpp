#include "cli/hardware_argument.h"

#include "cli/text_input.h"

namespace ridgeline {

Hardware hardware_argument(const std::string& text) {
  if (const Hardware* found = find_hardware(text)) return *found;
  bool is_file = text.ends_with(".json") || text.find('/') != text.npos;
  return is_file ? parse_hardware(read_text_file(text), text) : hardware_named(text);
}

}  // namespace ridgeline
