#include "hub/blob.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/error.h"

namespace ridgeline {
namespace {

[[noreturn]] void io_failed(const std::string& path, int why) {
  fail(ExitCode::io, why == ENOSPC || why == EDQUOT ? "disk_full" : "cache_unwritable", "{} cannot be written: {}",
       path, std::strerror(why));
}

}  // namespace

IncompleteBlob::IncompleteBlob(const std::string& path, const HubFile& file)
    : path_(path), incomplete_(path + ".incomplete"), file_(file) {
  descriptor_ = open(incomplete_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  struct stat found;
  if (descriptor_ < 0 || fstat(descriptor_, &found)) io_failed(incomplete_, errno);
  if (!S_ISREG(found.st_mode)) io_failed(incomplete_, EINVAL);
  read_what_is_there();
}
IncompleteBlob::~IncompleteBlob() {
  if (descriptor_ >= 0) close(descriptor_);
}

void IncompleteBlob::read_what_is_there() {
  restart();  // in memory; the file is cut only if it cannot be a beginning
  std::vector<char> part(1 << 20);
  for (ssize_t n; (n = pread(descriptor_, part.data(), part.size(), size_)) != 0;) {
    if (n < 0) io_failed(incomplete_, errno);
    hash({part.data(), static_cast<size_t>(n)});
    size_ += n;
  }
}

void IncompleteBlob::hash(std::string_view bytes) {
  if (sha256_) sha256_->add(std::as_bytes(std::span(bytes)));
  if (git_) git_->add(bytes);
}

void IncompleteBlob::restart() {
  if (size_ && ftruncate(descriptor_, 0)) io_failed(incomplete_, errno);
  size_ = 0;
  sha256_.reset(), git_.reset();
  if (file_.etag.size() == 64) sha256_.emplace();
  if (file_.etag.size() == 40 && file_.bytes >= 0) git_.emplace(static_cast<uint64_t>(file_.bytes));
}

void IncompleteBlob::write(std::string_view bytes) {
  hash(bytes);
  while (!bytes.empty()) {
    ssize_t n = pwrite(descriptor_, bytes.data(), bytes.size(), size_);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) io_failed(incomplete_, n ? errno : ENOSPC);
    size_ += n;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

std::optional<std::string> IncompleteBlob::fault() {
  if (file_.bytes >= 0 && size_ != file_.bytes) return fmt::format("{} bytes, expected {}", size_, file_.bytes);
  std::string found = sha256_ ? sha256_->hex() : git_ ? git_->hex() : file_.etag;
  if (found == file_.etag) return {};
  return fmt::format("{} {}, expected {}", sha256_ ? "SHA-256" : "git hash", found, file_.etag);
}

void IncompleteBlob::finish() {
  if (fsync(descriptor_)) io_failed(incomplete_, errno);
  if (std::rename(incomplete_.c_str(), path_.c_str())) io_failed(path_, errno);
  // The new name to the disk as well. Not every file system can; then the content is still whole.
  int folder = open(std::filesystem::path(path_).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  fsync(folder);
  close(folder);
}

void IncompleteBlob::remove() { unlink(incomplete_.c_str()); }

}  // namespace ridgeline
