#include "cli/hardware_argument.h"

#include <fmt/format.h>

#include "cli/terminal.h"
#include "cli/text_input.h"
#include "profiler/calibration_file.h"
#include "profiler/calibration_machine.h"

namespace ridgeline {
namespace {

Hardware measured_here() {
  std::string path = calibration_path();
  Hardware h = load_calibration(path);
  Provenance p = provenance_of(h, processor_name(), std::chrono::system_clock::now());
  auto dim = style(Style::dim, stderr), plain = style(Style::plain, stderr);
  fmt::print(stderr, "{}this machine: {}{}\n", dim, p.note, plain);
  for (const auto& warning : p.warnings) fmt::print(stderr, "{}warning: {}{}\n", dim, warning, plain);
  return h;
}

}  // namespace

Hardware hardware_argument(const std::string& text) {
  if (text == "here") return measured_here();
  if (const Hardware* found = find_hardware(text)) return *found;
  bool is_file = text.ends_with(".json") || text.find('/') != text.npos;
  return is_file ? parse_hardware(read_text_file(text), text) : hardware_named(text);
}

}  // namespace ridgeline
