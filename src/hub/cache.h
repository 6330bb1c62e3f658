// The hub's cache on disk, shared with every other tool that follows its layout (huggingface.co/docs/hub/local-cache):
//   CACHEDIR.TAG
//   .locks/models--user--name/ETAG.lock
//   models--user--name/refs/REVISION                   one line: the commit
//   models--user--name/blobs/ETAG                      contents; ETAG.incomplete while one arrives
//   models--user--name/snapshots/COMMIT/a/b.gguf  ->   ../../../blobs/ETAG
// What else lies there (.no_exist, trees, other tools' files) is left alone.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hub/listing.h"

namespace ridgeline {

class HubCache {
 public:
  // root: HubSettings::cache. repository: "user/name".
  HubCache(std::string root, const std::string& repository);

  // What is there. Nothing here changes the cache or needs permission to write.
  std::optional<std::string> commit(const std::string& revision) const;  // a commit itself, or what refs/ says
  std::vector<HubFile> files(const std::string& commit) const;           // of a snapshot, those whose content is there
  bool has(const HubFile& file) const;                                   // its content, in the right size
  std::string blob(const std::string& etag) const;
  std::string snapshot(const std::string& commit) const;
  const std::string& folder() const { return folder_; }

  // Changes to it. Each throws Error (io, "cache_unwritable") with the path and the reason.
  void prepare() const;                     // makes the folders
  void require_space(int64_t bytes) const;  // throws Error (unavailable, "no_space")
  void link(const std::string& commit, const HubFile& file) const;
  void set_commit(const std::string& revision, const std::string& commit) const;

 private:
  friend class BlobLock;
  std::string root_, name_, folder_;  // name: "models--user--name"
};

// Held by the one process that fetches a blob; the same flock(2) that huggingface_hub takes.
class BlobLock {
 public:
  // Waits for others. on_wait is called once where it has to; interrupted() ends the wait with Error (interrupted).
  BlobLock(const HubCache& cache, const std::string& etag, const std::function<void()>& on_wait,
           const std::function<bool()>& interrupted);
  ~BlobLock();
  BlobLock(const BlobLock&) = delete;
  BlobLock& operator=(const BlobLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace ridgeline
