// A regular file seen as memory, read-only. What may go wrong with it while it is mapped is dealt with here too.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline {

class MappedFile {
 public:
  // Maps the whole file. Errors: cannot_open when it is missing, not permitted or not a regular file (a FIFO or a
  // device is neither waited for nor read), unavailable when the address space is too small. An empty file maps to no
  // bytes.
  static MappedFile open(const std::string& path);

  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const;
  const std::string& path() const;

  // A private copy of bytes [offset, offset + size), which must lie inside bytes(). A file that has become shorter is
  // an ordinary error here (io, "file_changed"), where touching the mapping would raise SIGBUS.
  std::vector<std::byte> copy(uint64_t offset, uint64_t size) const;

  // True when the path no longer names the file that was opened, or that file's size or modification time is another:
  // then what was read may be a mixture of old and new. require_unchanged() raises io, "file_changed" in that case.
  bool changed() const;
  void require_unchanged() const;

  // Hints to the kernel about a part of bytes(). drop() gives its memory back; a later access reads it from disk again.
  void will_need(std::span<const std::byte> part) const;
  void drop(std::span<const std::byte> part) const;

 private:
  struct Mapping;
  friend struct SigbusGuard;
  explicit MappedFile(std::unique_ptr<Mapping> mapping);
  std::unique_ptr<Mapping> mapping_;
};

// A file that shrinks, or a disk that fails, turns the next access to the mapping into SIGBUS. After this call, such an
// access prints which file (and, inside a ReadingScope, which part of it) was being read and ends the process with
// ExitCode::io. A SIGBUS that has nothing to do with a MappedFile keeps its default action. Call once, early in main.
void install_sigbus_guard();

// Names what this thread is reading, for the message of the guard: `ReadingScope reading(tensor.name);`. Scopes nest.
class ReadingScope {
 public:
  explicit ReadingScope(std::string_view what);  // must outlive the scope
  ~ReadingScope();
  ReadingScope(const ReadingScope&) = delete;
  ReadingScope& operator=(const ReadingScope&) = delete;

 private:
  std::string_view outer_;
};

}  // namespace ridgeline
