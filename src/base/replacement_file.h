// A file that takes another's place once it is whole: whoever reads the path finds the old content or the new, never a part.
#pragma once
#include <sys/types.h>

#include <string>
#include <string_view>

namespace ridgeline {

class ReplacementFile {
 public:
  // Begins a file beside `path`, with these permissions less the umask. consequence: what follows from a failure, after the
  // reason in the message. Here and below: Error (io, "write_failed").
  explicit ReplacementFile(std::string path, mode_t permissions = 0666, std::string consequence = "");
  ~ReplacementFile();  // without finish(): nothing was written
  ReplacementFile(const ReplacementFile&) = delete;
  void write(std::string_view text);
  void finish();  // on the disk, and under its name

 private:
  [[noreturn]] void broken() const;
  std::string path_, temporary_, consequence_;
  int descriptor_ = -1;
};

}  // namespace ridgeline
