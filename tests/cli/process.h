// Runs the built program as a user would, with its input, output and environment held.
#pragma once
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace ridgeline {

struct Finished {
  int status = -1;  // exit status; 128 + number for a signal
  std::string out, err;
  int64_t peak_bytes = 0;  // of resident memory
};

struct ProcessOptions {
  std::string input;                                             // on stdin; ends there
  std::vector<std::pair<std::string, std::string>> environment;  // added
  bool close_output = false;                                     // the reader of stdout goes away at once
  int signal = 0;                                                // sent when the first byte of stdout has come
  bool signal_on_stderr = false;                                 // or of stderr
  std::function<void()> before = {};                             // called in the child: limits, working directory, ...
  double seconds = 60;                                           // killed after
};

inline Finished run_ridgeline(const std::vector<std::string>& arguments, const ProcessOptions& o = {}) {
  int in[2], out[2], err[2];
  if (pipe(in) || pipe(out) || pipe(err)) return {};
  pid_t child = fork();
  if (!child) {
    dup2(in[0], 0), dup2(out[1], 1), dup2(err[1], 2);
    for (int* p : {in, out, err}) close(p[0]), close(p[1]);
    for (auto& [name, value] : o.environment) setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> argv{const_cast<char*>("ridgeline")};
    for (const auto& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    if (o.before) o.before();
    execv(RIDGELINE_PROGRAM, argv.data());
    _exit(127);
  }
  close(in[0]), close(out[1]), close(err[1]);
  signal(SIGPIPE, SIG_IGN);
  fcntl(in[1], F_SETFL, O_NONBLOCK);
  if (o.close_output) close(out[0]), out[0] = -1;
  Finished f;
  size_t sent = 0;
  bool signalled = false;
  auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(o.seconds);
  auto read_some = [](int& fd, std::string& to) {
    char part[65536];
    ssize_t n = read(fd, part, sizeof part);
    if (n > 0)
      to.append(part, static_cast<size_t>(n));
    else
      close(fd), fd = -1;
  };
  while (out[0] >= 0 || err[0] >= 0) {
    if (in[1] >= 0 && sent == o.input.size()) close(in[1]), in[1] = -1;
    pollfd fds[3] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}, {in[1], POLLOUT, 0}};
    poll(fds, 3, 100);
    if (fds[0].fd >= 0 && fds[0].revents) read_some(out[0], f.out);
    if (fds[1].fd >= 0 && fds[1].revents) read_some(err[0], f.err);
    if (fds[2].fd >= 0 && fds[2].revents) {
      ssize_t n = write(in[1], o.input.data() + sent, o.input.size() - sent);
      if (n > 0)
        sent += static_cast<size_t>(n);
      else if (n < 0 && errno != EAGAIN)
        close(in[1]), in[1] = -1;
    }
    if (o.signal && !signalled && !(o.signal_on_stderr ? f.err : f.out).empty())
      kill(child, o.signal), signalled = true;
    if (std::chrono::steady_clock::now() > end) kill(child, SIGKILL);
  }
  if (in[1] >= 0) close(in[1]);
  int status = 0;
  rusage use{};
  wait4(child, &status, 0, &use);
  f.peak_bytes = int64_t{use.ru_maxrss} * 1024;
  f.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return f;
}

}  // namespace ridgeline
