// Reads GGUF files, versions 2 and 3, little endian (the format: gguf.md of the ggml project). Nothing in a file is
// trusted: when one of these objects exists, every count, name, type and extent in the file has been checked against
// base/limits.h and against the size of the file. Split files are not read.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "formats/ggml_types.h"
#include "formats/gguf_metadata.h"
#include "tensor/dtype.h"

namespace ridgeline {

struct GgufTensor {
  std::string_view name;
  const GgmlType* type;
  int rank;                    // 1 .. 4
  std::array<uint64_t, 4> ne;  // the file's order: ne[0] is contiguous; 1 from `rank` on
  uint64_t elements;
  uint64_t offset;  // from the start of the file
  uint64_t bytes;

  std::vector<int64_t> shape() const;  // row-major: the contiguous dimension last
  std::string text() const;            // "blk.0.ffn_down.weight (Q4_0, 1536 x 576)", dimensions in the file's order
};

class GgufFile {
 public:
  // Maps the file and checks it whole, without reading tensor data: time and memory depend on the header alone. The
  // header is read into memory of its own; tensor data stays in the file until it is touched.
  // Errors: those of MappedFile::open; bad_data, each with an id that begins with "gguf_" (or is "bad_magic" or
  // "lfs_pointer") and a message that names the place, what was expected and what was found.
  static GgufFile open(const std::string& path);
  // The same for a file image in memory, which must outlive the object.
  static GgufFile parse(std::span<const std::byte> image);

  uint32_t version() const { return version_; }
  uint64_t alignment() const { return alignment_; }
  uint64_t data_begin() const { return data_begin_; }  // the bytes before it are the header
  uint64_t file_bytes() const { return file_.size(); }
  const GgufMetadata& metadata() const { return metadata_; }
  const std::vector<GgufTensor>& tensors() const { return tensors_; }     // in the order of the file
  const std::vector<std::string>& warnings() const { return warnings_; }  // what is odd, yet harmless

  const GgufTensor* find_tensor(std::string_view name) const;  // nullptr when missing
  const GgufTensor& tensor(std::string_view name) const;       // bad_data "gguf_tensor_missing"

  // How a tensor computes, and its bytes as they lie in the file: rows of ne[0] elements (tensor/blocks.h). A type that
  // is known but does not compute here is refused: bad_data "gguf_unsupported_type".
  DType dtype(const GgufTensor& tensor) const;
  std::span<const std::byte> data(const GgufTensor& tensor) const;

  // The mapping behind open(): to drop pages after packing, and to ask at the end whether the file changed meanwhile.
  // nullptr for an image.
  const MappedFile* mapping() const { return mapping_ ? &*mapping_ : nullptr; }

 private:
  friend class GgufParser;
  GgufFile() = default;

  std::optional<MappedFile> mapping_;
  std::vector<std::byte> header_;    // what all string_views point into; empty for an image
  std::span<const std::byte> file_;  // the whole file
  uint32_t version_ = 0;
  uint64_t alignment_ = 0, data_begin_ = 0;
  GgufMetadata metadata_;
  std::vector<GgufTensor> tensors_;
  std::vector<uint32_t> by_name_;  // sorted, as GgufMetadata has its keys
  std::vector<std::string> warnings_;
};

}  // namespace ridgeline
