// The walk over a GGUF header that fills a GgufFile. Private to this folder.
#pragma once
#include "base/byte_reader.h"
#include "formats/gguf.h"

namespace ridgeline {

class GgufParser {
 public:
  // header: the beginning of the file, or all of it; file_bytes: the size of the whole. When the header turns out to go
  // on beyond what is given of it, run() raises an Error with the id `goes_on`.
  GgufParser(std::span<const std::byte> header, uint64_t file_bytes);
  static constexpr const char* goes_on = "gguf_header_goes_on";
  // Fills everything but where the bytes are kept, and the order of names. Errors: see GgufFile::open.
  void run(GgufFile& file);

 private:
  void magic_and_version(GgufFile& file);
  uint64_t count(std::string_view what, uint64_t most, uint64_t least_bytes_each);
  std::string_view name(std::string_view what, uint64_t most);
  std::string_view string(std::string_view what, uint64_t most);
  GgufType type(std::string_view what);
  GgufEntry entry();
  void values(const GgufEntry& entry);
  uint64_t alignment(const GgufMetadata& metadata) const;
  GgufTensor tensor();
  void place(GgufFile& file) const;

  std::span<const std::byte> header_;
  uint64_t file_bytes_;
  ByteReader reader_;
};

}  // namespace ridgeline
