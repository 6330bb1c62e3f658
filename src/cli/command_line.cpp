#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <iostream>
#include <new>
#include <system_error>

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/printable.h"
#include "cli/application.h"
#include "cli/commands.h"
#include "cli/terminal.h"

namespace ridgeline {
namespace {

// The message, its further lines indented.
int report(const Error& e) {
  std::string text = fmt::format("{}ridgeline:{} ", style(Style::error, stderr), style(Style::plain, stderr));
  std::string message = escaped_lines(e.what());
  for (size_t i = 0; i < message.size(); ++i) {
    text += message[i];
    if (message[i] == '\n' && !message.substr(i + 1, 1).starts_with(' ')) text += "  ";
  }
  text += '\n';
  std::fwrite(text.data(), 1, text.size(), stderr);  // where even that fails, the exit status is left
  return static_cast<int>(e.code());
}

// A descriptor that the caller closed would be given to the next file opened, and a message would go into a model. It reads as
// the end, and a write to it is an error, except to stderr: who closes that wants no messages.
void occupy_closed_descriptors() {
  static constexpr int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(descriptor, F_GETFD) < 0) (void)!open("/dev/null", modes[descriptor]);  // takes the lowest that is free
}

void require_written() {
  if (std::cout.flush().good() && !std::fflush(stdout) && !std::ferror(stdout)) return;
  fail(ExitCode::io, "output_failed", "standard output cannot be written: is the disk full, or the pipe closed?");
}

// What the standard library says of the system: no more threads, a disk that is full.
Error error_of(const std::system_error& e) {
  if (e.code() == std::errc::resource_unavailable_try_again)
    return {ExitCode::unavailable, "no_threads",
            "the system allows no more threads or processes: use a smaller -t, or raise `ulimit -u`"};
  return {ExitCode::io, "io_failed", fmt::format("reading or writing failed: {}", e.what())};
}

int parse_and_run(CLI::App& app, int argc, char** argv) {
  try {
    try {
      if (argc < 2) throw CLI::CallForHelp();
      app.parse(argc, argv);
    } catch (const CLI::Success& e) { app.exit(e); }  // --help, --version
    require_written();
    return static_cast<int>(ExitCode::ok);
  } catch (const CLI::ParseError& e) {
    return report({ExitCode::usage, "usage", usage_message(app, e)});
  } catch (const Error& e) { return report(e); } catch (const std::bad_alloc&) {
    return report(
        {ExitCode::unavailable, "out_of_memory", "out of memory: use a smaller -c, a smaller model or a smaller type"});
  } catch (const std::system_error& e) { return report(error_of(e)); } catch (const std::exception& e) {
    return report({ExitCode::internal, "internal", fmt::format("a fault of this program: {}", e.what())});
  }
}

}  // namespace

int run_command_line(int argc, char** argv) {
  occupy_closed_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of the write, not a signal
  std::signal(SIGXFSZ, SIG_IGN);  // and so is a file that may not grow
  install_sigbus_guard();
  auto app = make_application();
  return parse_and_run(*app, argc, argv);
}

}  // namespace ridgeline
