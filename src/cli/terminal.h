// What the commands know of the terminal: whether there is one, colour, and Ctrl-C.
#pragma once
#include <cstdio>
#include <string>
#include <string_view>

namespace ridgeline {

bool is_terminal(std::FILE*);

// Writes to stdout at once. Throws Error (io) where that fails.
void write_out(std::string_view text);

// Escape sequences, or nothing where colour is off: NO_COLOR set and not empty, TERM=dumb, or not a terminal. CLICOLOR_FORCE
// or FORCE_COLOR turns it on. (no-color.org, bixense.com/clicolors)
enum class Style { plain, dim, bold, error };
std::string_view style(Style, std::FILE*);

// While one lives, Ctrl-C (and SIGTERM) set a flag instead of ending the process. A second one within the same life ends it.
class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  static bool interrupted();
  static int signal_number();  // which one came; 0: none
  static void reset();
};

}  // namespace ridgeline
