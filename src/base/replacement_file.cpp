#include "base/replacement_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace ridgeline {

ReplacementFile::ReplacementFile(std::string path, mode_t permissions, std::string consequence)
    : path_(std::move(path)), consequence_(std::move(consequence)) {
  // The number of a process alone is not enough: in a container an earlier one may have had it, and left its file.
  auto ticks = std::chrono::steady_clock::now().time_since_epoch().count();
  temporary_ = fmt::format("{}.{}-{:x}.partial", path_, getpid(), ticks);
  descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions);
  if (descriptor_ < 0) broken();
}

ReplacementFile::~ReplacementFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

void ReplacementFile::write(std::string_view text) {
  while (!text.empty()) {
    ssize_t n = ::write(descriptor_, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) broken();
    text.remove_prefix(static_cast<size_t>(n));
  }
}

void ReplacementFile::finish() {
  if (fsync(descriptor_) || rename(temporary_.c_str(), path_.c_str())) broken();
  close(std::exchange(descriptor_, -1));
}

void ReplacementFile::broken() const {
  fail(ExitCode::io, "write_failed", "cannot write {}: {}{}", path_, std::strerror(errno), consequence_);
}

}  // namespace ridgeline
