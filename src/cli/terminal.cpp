#include "cli/terminal.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "base/error.h"
#include "text/utf8.h"

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

std::string fit_for_terminal(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    auto step = utf8_step(text);
    auto first = static_cast<unsigned char>(text[0]), second = static_cast<unsigned char>(text[step.size - 1]);
    bool control = (first < ' ' && first != '\n' && first != '\t') || first == 127 ||
                   (step.size == 2 && first == 0xC2 && second < 0xA0);
    if (step.kind == Utf8Step::character && !control)
      out += text.substr(0, step.size);
    else
      for (char c : text.substr(0, step.size)) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    text.remove_prefix(step.size);
  }
  return out;
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
