#include "base/mapped_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace ridgeline {

struct MappedFile::Mapping {
  std::string path;
  int descriptor = -1;
  struct stat opened = {};
  std::byte* begin = nullptr;
  uint64_t size = 0;

  bool holds(const void* address) const {
    auto at = reinterpret_cast<uintptr_t>(address), from = reinterpret_cast<uintptr_t>(begin);
    // The last page reaches beyond the end of the file, so the guard looks at whole pages: the largest in use has 64
    // KiB.
    return begin && at >= from && at - from < size + 65'536;
  }
  ~Mapping() {
    if (begin) munmap(begin, size);
    if (descriptor >= 0) close(descriptor);
  }
};

// Where the signal handler finds the mappings: fixed slots of atomics, since a handler may neither lock nor allocate.
// A file opened when all slots are taken is still read; only the guard does not know its name.
struct SigbusGuard {
  using Mapping = MappedFile::Mapping;
  static inline std::array<std::atomic<const Mapping*>, 64> slots = {};
  static inline thread_local std::string_view reading = {};

  static void enter(const Mapping* mapping) {
    for (auto& slot : slots) {
      const Mapping* none = nullptr;
      if (slot.compare_exchange_strong(none, mapping)) return;
    }
  }
  static void leave(const Mapping* mapping) {
    for (auto& slot : slots) {
      const Mapping* mine = mapping;
      if (slot.compare_exchange_strong(mine, nullptr)) return;
    }
  }

  static void say(std::string_view text) {
    while (!text.empty()) {
      ssize_t n = write(STDERR_FILENO, text.data(), text.size());
      if (n <= 0) return;
      text.remove_prefix(static_cast<size_t>(n));
    }
  }
  static void handle(int signal, siginfo_t* info, void*) {
    for (auto& slot : slots) {
      const Mapping* mapping = slot.load();
      if (!mapping || !mapping->holds(info->si_addr)) continue;
      say("ridgeline: reading ");
      say(mapping->path);
      say(" failed");
      if (!reading.empty()) say(" in "), say(reading);
      say("\n  The file became shorter while it was in use, or its disk failed. Leave it in place and start again.\n");
      _exit(static_cast<int>(ExitCode::io));
    }
    ::signal(signal, SIG_DFL);  // not ours: the access is repeated and ends as it would have without us
  }
};

namespace {

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  if (S_ISSOCK(mode)) return "a socket";
  return "not a regular file";
}

bool same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }
bool same_content(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

[[noreturn]] void cannot_open(const std::string& path, std::string_view why) {
  fail(ExitCode::cannot_open, "cannot_open", "cannot open {}: {}", path, why);
}
void require_regular(const std::string& path, const struct stat& found) {
  if (!S_ISREG(found.st_mode)) cannot_open(path, fmt::format("it is {}; expected a file", kind_of(found.st_mode)));
}

}  // namespace

MappedFile::MappedFile(std::unique_ptr<Mapping> mapping) : mapping_(std::move(mapping)) {}
MappedFile::MappedFile(MappedFile&&) noexcept = default;
MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  return *this;
}
MappedFile::~MappedFile() {
  if (mapping_) SigbusGuard::leave(mapping_.get());
}

MappedFile MappedFile::open(const std::string& path) {
  auto mapping = std::make_unique<Mapping>();
  mapping->path = path;
  // Looked at before it is opened, since opening a device may already do something; and again after, since the path may
  // name something else by then. O_NONBLOCK: a FIFO must not make us wait for its writer.
  if (stat(path.c_str(), &mapping->opened)) cannot_open(path, std::strerror(errno));
  require_regular(path, mapping->opened);
  mapping->descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (mapping->descriptor < 0 || fstat(mapping->descriptor, &mapping->opened)) cannot_open(path, std::strerror(errno));
  require_regular(path, mapping->opened);

  mapping->size = static_cast<uint64_t>(mapping->opened.st_size);
  if (mapping->size) {
    void* begin = mmap(nullptr, mapping->size, PROT_READ, MAP_SHARED, mapping->descriptor, 0);
    if (begin == MAP_FAILED) {
      fail(ExitCode::unavailable, "cannot_map", "cannot map the {} bytes of {} into memory: {}", mapping->size, path,
           std::strerror(errno));
    }
    mapping->begin = static_cast<std::byte*>(begin);
  }
  SigbusGuard::enter(mapping.get());
  return MappedFile(std::move(mapping));
}

std::span<const std::byte> MappedFile::bytes() const { return {mapping_->begin, mapping_->size}; }
const std::string& MappedFile::path() const { return mapping_->path; }

std::vector<std::byte> MappedFile::copy(uint64_t offset, uint64_t size) const {
  require(offset <= mapping_->size && size <= mapping_->size - offset, "copy reaches beyond the file");
  std::vector<std::byte> out(size);
  for (uint64_t done = 0; done < size;) {
    ssize_t n = pread(mapping_->descriptor, out.data() + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(ExitCode::io, "cannot_read", "reading {} failed: {}", path(), std::strerror(errno));
    if (n == 0) {
      fail(ExitCode::io, "file_changed", "{} became shorter while it was read: it ends at byte {}, expected {} bytes",
           path(), offset + done, mapping_->size);
    }
    done += static_cast<uint64_t>(n);
  }
  return out;
}

bool MappedFile::changed() const {
  struct stat now;
  if (fstat(mapping_->descriptor, &now) || !same_content(now, mapping_->opened)) return true;
  return stat(path().c_str(), &now) || !same_file(now, mapping_->opened);
}

void MappedFile::require_unchanged() const {
  if (!changed()) return;
  fail(ExitCode::io, "file_changed",
       "{} was changed, replaced or removed while it was read: old and new content may be mixed.\n"
       "Wait until nothing writes to it any more, then start again.",
       path());
}

void MappedFile::will_need(std::span<const std::byte> part) const {
  uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  uint64_t from = static_cast<uint64_t>(part.data() - mapping_->begin) / page * page;
  uint64_t to = static_cast<uint64_t>(part.data() - mapping_->begin) + part.size();
  if (to > from) madvise(mapping_->begin + from, to - from, MADV_WILLNEED);
}

void MappedFile::drop(std::span<const std::byte> part) const {
  uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  // Only pages that lie wholly inside: those at the ends are shared with the neighbours, who may still be read.
  uint64_t from = (static_cast<uint64_t>(part.data() - mapping_->begin) + page - 1) / page * page;
  uint64_t to = (static_cast<uint64_t>(part.data() - mapping_->begin) + part.size()) / page * page;
  if (to > from) madvise(mapping_->begin + from, to - from, MADV_DONTNEED);
}

void install_sigbus_guard() {
  struct sigaction action = {};
  action.sa_sigaction = SigbusGuard::handle;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  require(sigaction(SIGBUS, &action, nullptr) == 0, "cannot install the SIGBUS handler: {}", std::strerror(errno));
}

ReadingScope::ReadingScope(std::string_view what) : outer_(SigbusGuard::reading) { SigbusGuard::reading = what; }
ReadingScope::~ReadingScope() { SigbusGuard::reading = outer_; }

}  // namespace ridgeline
