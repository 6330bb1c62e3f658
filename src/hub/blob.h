// A blob that arrives: the file ETAG.incomplete, and the hash of what is in it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/sha256.h"
#include "hub/git_sha1.h"
#include "hub/listing.h"

namespace ridgeline {

class IncompleteBlob {
 public:
  // Opens `path`.incomplete and reads what an earlier attempt left in it. Throws Error (io).
  IncompleteBlob(const std::string& path, const HubFile& file);
  ~IncompleteBlob();
  IncompleteBlob(const IncompleteBlob&) = delete;
  IncompleteBlob& operator=(const IncompleteBlob&) = delete;

  int64_t size() const { return size_; }
  void restart();                      // forgets all of it
  void write(std::string_view bytes);  // Error (io): the disk is full, ...; what was written stays, to be resumed
  // Nothing where content and size are as promised; else what differs: "SHA-256 is ..., expected ...".
  std::optional<std::string> fault();
  // Makes it the blob: to the disk, then renamed. After fault() found nothing.
  void finish();
  void remove();

 private:
  void hash(std::string_view bytes);
  void read_what_is_there();
  std::string path_, incomplete_;
  HubFile file_;
  int descriptor_ = -1;
  int64_t size_ = 0;
  std::optional<Sha256> sha256_;
  std::optional<GitSha1> git_;
};

}  // namespace ridgeline
