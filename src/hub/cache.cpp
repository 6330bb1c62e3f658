#include "hub/cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.h"

namespace ridgeline {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void unwritable(const std::string& path, std::string_view why) {
  fail(ExitCode::io, "cache_unwritable",
       "the cache cannot be written: {}: {}\n  HF_HUB_CACHE names another place for it", path, why);
}

void make_folders(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) unwritable(path.string(), error.message());
}

// A name beside `path` that no other process uses.
std::string beside(const std::string& path) { return fmt::format("{}.{}.tmp", path, getpid()); }

void rename_over(const std::string& from, const std::string& to) {
  if (!std::rename(from.c_str(), to.c_str())) return;
  int why = errno;
  unlink(from.c_str());
  unwritable(to, std::strerror(why));
}

// Whole or absent.
void write_small_file(const std::string& path, std::string_view content) {
  std::string temporary = beside(path);
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  if (!out) unwritable(path, std::strerror(errno));
  rename_over(temporary, path);
}

bool is_commit(std::string_view s) { return s.size() == 40 && s.find_first_not_of("0123456789abcdef") == s.npos; }

}  // namespace

HubCache::HubCache(std::string root, const std::string& repository) : root_(std::move(root)) {
  name_ = "models--" + repository;
  name_.replace(name_.find('/'), 1, "--");
  folder_ = root_ + "/" + name_;
}

std::string HubCache::blob(const std::string& etag) const { return folder_ + "/blobs/" + etag; }
std::string HubCache::snapshot(const std::string& commit) const { return folder_ + "/snapshots/" + commit; }

std::optional<std::string> HubCache::commit(const std::string& revision) const {
  std::error_code error;
  if (is_commit(revision) && fs::is_directory(snapshot(revision), error)) return revision;
  std::ifstream in(folder_ + "/refs/" + revision);
  std::string commit;
  if (!(in >> commit) || !is_plain_name(commit)) return {};
  return commit;
}

std::vector<HubFile> HubCache::files(const std::string& commit) const {
  std::vector<HubFile> list;
  std::error_code error;
  fs::path top = snapshot(commit);
  for (fs::recursive_directory_iterator it(top, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;
    if (!fs::is_regular_file(it->path(), gone)) continue;  // a folder, or a link whose content is not there
    HubFile file{
        it->path().lexically_relative(top).string(), static_cast<int64_t>(fs::file_size(it->path(), gone)), {}};
    if (fs::is_symlink(it->path(), gone)) file.etag = fs::read_symlink(it->path(), gone).filename().string();
    if (!gone) list.push_back(std::move(file));
  }
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return list;
}

bool HubCache::has(const HubFile& file) const {
  struct stat found;
  return !stat(blob(file.etag).c_str(), &found) && S_ISREG(found.st_mode) &&
         (file.bytes < 0 || found.st_size == file.bytes);
}

void HubCache::prepare() const {
  for (const char* part : {"/blobs", "/refs", "/snapshots"}) make_folders(folder_ + part);
  make_folders(root_ + "/.locks/" + name_);
  std::string tag = root_ + "/CACHEDIR.TAG";  // bford.info/cachedir: backups leave such a folder out
  if (access(tag.c_str(), F_OK))
    write_small_file(tag,
                     "Signature: 8a477f597d28d172789f06886806bc55\n"
                     "# This folder is the cache of models from the hub. It can be made anew.\n"
                     "# About this file: https://bford.info/cachedir/\n");
}

void HubCache::require_space(int64_t bytes) const {
  struct statvfs disk;
  if (bytes <= 0 || statvfs(folder_.c_str(), &disk)) return;
  double have = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
  if (have >= static_cast<double>(bytes)) return;
  fail(ExitCode::unavailable, "no_space",
       "the disk has too little space: {:.1f} MB are to be fetched, {:.1f} MB are free in {}\n  HF_HUB_CACHE names "
       "another "
       "place for the cache",
       static_cast<double>(bytes) / 1e6, have / 1e6, root_);
}

void HubCache::link(const std::string& commit, const HubFile& file) const {
  std::string path = snapshot(commit) + "/" + file.name, target;
  auto depth =
      std::count(file.name.begin(), file.name.end(), '/') + 2;  // above the file: its folders, COMMIT, snapshots
  for (int64_t i = 0; i < depth; ++i) target += "../";
  target += "blobs/" + file.etag;
  std::error_code error;
  if (fs::read_symlink(path, error) == fs::path(target)) return;
  make_folders(fs::path(path).parent_path());
  std::string temporary = beside(path);
  unlink(temporary.c_str());
  if (symlink(target.c_str(), temporary.c_str())) unwritable(path, std::strerror(errno));
  rename_over(temporary, path);
}

void HubCache::set_commit(const std::string& revision, const std::string& commit) const {
  if (revision == commit) return;
  std::string path = folder_ + "/refs/" + revision;
  std::ifstream in(path);
  if (std::string now; in >> now && now == commit) return;
  make_folders(fs::path(path).parent_path());
  write_small_file(path, commit);
}

BlobLock::BlobLock(const HubCache& cache, const std::string& etag, const std::function<void()>& on_wait,
                   const std::function<bool()>& interrupted) {
  std::string path = cache.root_ + "/.locks/" + cache.name_ + "/" + etag + ".lock";
  for (bool told = false;;) {
    descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) unwritable(path, std::strerror(errno));
    struct stat mine, named;
    bool locked = !flock(descriptor_, LOCK_EX | LOCK_NB);
    if (!locked && errno != EWOULDBLOCK) return;  // a file system without locks: fetch all the same
    // Another tool may have removed the file meanwhile, and then a lock on it holds nobody off.
    if (locked && !fstat(descriptor_, &mine) && !stat(path.c_str(), &named) && mine.st_ino == named.st_ino) return;
    close(std::exchange(descriptor_, -1));
    if (locked) continue;
    if (!std::exchange(told, true) && on_wait) on_wait();
    if (interrupted && interrupted()) fail(ExitCode::interrupted, "interrupted", "interrupted");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}
BlobLock::~BlobLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace ridgeline
