// Runs the built program at a terminal of its own, and types.
#pragma once
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace ridgeline {

// Text as TerminalProcess gives it back.
inline std::string without_returns(std::string text) {
  std::erase(text, '\r');
  return text;
}

class TerminalProcess {
 public:
  explicit TerminalProcess(const std::vector<std::string>& arguments,
                           const std::vector<std::pair<std::string, std::string>>& environment = {}) {
    winsize size{50, 2000, 0, 0};  // so wide that no line is broken
    child_ = forkpty(&terminal_, nullptr, nullptr, &size);
    if (child_) return;
    setenv("TERM", "dumb", 1);
    setenv("XDG_STATE_HOME", "/proc/nowhere",
           1);  // where no history can be: that of whoever runs the tests is left alone
    for (auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> argv{const_cast<char*>("ridgeline")};
    for (const auto& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    execv(RIDGELINE_PROGRAM, argv.data());
    _exit(127);
  }
  ~TerminalProcess() {
    if (child_ > 0) kill(child_, SIGKILL), waitpid(child_, nullptr, 0);
    close(terminal_);
  }
  TerminalProcess(const TerminalProcess&) = delete;

  void type(const std::string& keys) { (void)!write(terminal_, keys.data(), keys.size()); }
  // The same to the line editor, once it reads keys, which is shortly after it has written its prompt: before, the terminal
  // would take them for its own.
  void type_at_prompt(const std::string& keys) {
    termios mode{};
    for (int i = 0; i < 10'000 && !tcgetattr(terminal_, &mode) && (mode.c_lflag & ICANON); ++i) usleep(1000);
    type(keys);
  }

  // What comes until `end` does, without it and without carriage returns; what came so far where it does not come in time, or
  // the program ends.
  std::string until(const std::string& end, double seconds = 60) {
    auto late = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    for (;;) {
      if (size_t at = waiting_.find(end); at != waiting_.npos) {
        std::string text = waiting_.substr(0, at);
        waiting_.erase(0, at + end.size());
        return text;
      }
      pollfd p{terminal_, POLLIN, 0};
      char part[4096];
      ssize_t n = poll(&p, 1, 100) > 0 ? read(terminal_, part, sizeof part) : 0;
      for (ssize_t i = 0; i < n; ++i)
        if (part[i] != '\r') waiting_ += part[i];
      if (n < 0 || std::chrono::steady_clock::now() > late) return std::exchange(waiting_, {});
    }
  }
  // Types a line, and returns what is written until the next prompt; not the echo of the line itself.
  std::string say(const std::string& line, const std::string& prompt = ">>> ") {
    type_at_prompt(line + "\n");
    std::string text = until(prompt);
    size_t end = text.find('\n');
    return end == text.npos ? text : text.substr(end + 1);
  }
  // The exit status, once the program has ended; 128 + number for a signal, as where it does not end.
  int status() {
    until("what never comes");
    int s = 0;
    pid_t ended = 0;
    for (int i = 0; i < 10'000 && !(ended = waitpid(child_, &s, WNOHANG)); ++i) usleep(1000);
    if (!ended) kill(child_, SIGKILL), waitpid(child_, &s, 0);
    child_ = -1;
    return WIFEXITED(s) ? WEXITSTATUS(s) : 128 + WTERMSIG(s);
  }

 private:
  int terminal_ = -1;
  pid_t child_ = -1;
  std::string waiting_;
};

}  // namespace ridgeline
