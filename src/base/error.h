// The one error type, the one table of exit codes, and the helpers that raise it.
#pragma once
#include <fmt/format.h>

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace ridgeline {

// Process exit codes, after sysexits.h. Every error carries one; the command line returns it.
enum class ExitCode : int {
  ok = 0,
  check_failed = 1,   // a check or threshold failed: bits differ, a bound is exceeded
  usage = 2,          // the command line itself is wrong
  bad_data = 65,      // a file or text from outside is malformed
  cannot_open = 66,   // a file is missing, unreadable or not a regular file
  unavailable = 69,   // it does not fit in memory, or is not available here
  internal = 70,      // a fault of this program
  io = 74,            // reading or writing failed half way
  bad_config = 78,    // an environment variable or configuration file is wrong
  interrupted = 130,  // SIGINT
  terminated = 143,   // SIGTERM
};

// What went wrong, and where, what was expected, what was found, how to mend it: one line each, none of them empty lines.
class Error : public std::exception {
 public:
  // code: exit code. id: stable short name, e.g. "gguf_truncated". what: the message; further lines are details.
  Error(ExitCode code, std::string id, std::string what) : code_(code), id_(std::move(id)), what_(std::move(what)) {}
  ExitCode code() const { return code_; }
  const std::string& id() const { return id_; }
  const char* what() const noexcept override { return what_.c_str(); }
  // The same error, with the place it happened in put before the message: "loading model.gguf: ...".
  Error in(std::string_view where) const { return {code_, id_, std::string(where) + ": " + what_}; }
  // The same error, with the file or directory that was being loaded on a line before it: "cannot load model.gguf". One that
  // names its file already stays as it is: the innermost is the one to mend.
  Error loading(std::string_view path) const {
    if (code_ == ExitCode::cannot_open || names_file_) return *this;
    Error named(code_, id_, fmt::format("cannot load {}\n{}", path, what_));
    named.names_file_ = true;
    return named;
  }

 private:
  ExitCode code_;
  std::string id_, what_;
  bool names_file_ = false;
};

template <class... A>
[[noreturn]] void fail(ExitCode code, std::string id, fmt::format_string<A...> text, A&&... args) {
  throw Error(code, std::move(id), fmt::format(text, std::forward<A>(args)...));
}

// Faults of this program: broken invariants, never input from outside.
template <class... A>
void require(bool ok, fmt::format_string<A...> text, A&&... args) {
  if (!ok) throw Error(ExitCode::internal, "internal", fmt::format(text, std::forward<A>(args)...));
}

}  // namespace ridgeline
