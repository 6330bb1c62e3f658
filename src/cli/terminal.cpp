#include "cli/terminal.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "base/error.h"

namespace ridgeline {
namespace {

std::atomic<int> caught{0};
struct sigaction old_int, old_term;

void catch_signal(int number) {
  if (caught.exchange(number)) _exit(128 + number);  // asked twice
}

bool set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

bool colour(std::FILE* f) {
  if (set("NO_COLOR")) return false;
  if (set("CLICOLOR_FORCE") || set("FORCE_COLOR")) return true;
  const char* term = std::getenv("TERM");
  return is_terminal(f) && term && std::string_view(term) != "dumb";
}

}  // namespace

bool is_terminal(std::FILE* f) { return isatty(fileno(f)) == 1; }

void write_out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout))
    fail(ExitCode::io, "output_failed", "standard output cannot be written: is the disk full, or the pipe closed?");
}

std::string_view style(Style s, std::FILE* f) {
  if (!colour(f)) return "";
  static constexpr std::string_view codes[] = {"\x1b[0m", "\x1b[2m", "\x1b[1m", "\x1b[1;31m"};
  return codes[static_cast<int>(s)];
}

InterruptScope::InterruptScope() {
  caught = 0;
  struct sigaction action = {};
  action.sa_handler = catch_signal;  // no SA_RESTART: a read at a prompt ends
  sigaction(SIGINT, &action, &old_int);
  sigaction(SIGTERM, &action, &old_term);
}
InterruptScope::~InterruptScope() {
  sigaction(SIGINT, &old_int, nullptr);
  sigaction(SIGTERM, &old_term, nullptr);
}
bool InterruptScope::interrupted() { return caught != 0; }
int InterruptScope::signal_number() { return caught; }
void InterruptScope::reset() { caught = 0; }

}  // namespace ridgeline
