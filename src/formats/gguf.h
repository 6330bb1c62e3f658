// Reads GGUF files, versions 2 and 3, little endian (the format: gguf.md of the ggml project). Nothing in a file is
// trusted: when one of these objects exists, every count, name, type and extent in the file has been checked against
// base/limits.h and against the size of the file. A model split into parts (NAME-00001-of-00003.gguf ...) is one object.
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
#include "formats/checkpoint.h"
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
  uint64_t offset;  // from the start of its file
  uint64_t bytes;
  uint32_t part;  // of a split model, from 0 on

  std::vector<int64_t> shape() const;  // row-major: the contiguous dimension last
  std::string text() const;            // "blk.0.ffn_down.weight (Q4_0, 1536 x 576)", dimensions in the file's order
};

class GgufFile : public Checkpoint {
 public:
  // Maps the file and checks it whole, without reading tensor data: time and memory depend on the header alone. The
  // header is read into memory of its own; tensor data stays in the file until it is touched.
  // The first part of a split model brings the others, which lie beside it; another part is refused with the first one's
  // name.
  // Errors: those of MappedFile::open; bad_data, each with an id that begins with "gguf_" (or is "bad_magic" or
  // "lfs_pointer") and a message that names the place, what was expected and what was found; "gguf_split" where parts are
  // missing or do not belong together.
  static GgufFile open(const std::string& path);
  // The same for a file image in memory, which must outlive the object. A part of a split model stays alone.
  static GgufFile parse(std::span<const std::byte> image);

  uint32_t version() const { return version_; }
  uint64_t alignment() const { return alignment_; }
  uint64_t data_begin() const { return data_begin_; }                  // the bytes before it are the header
  const GgufMetadata& metadata() const { return metadata_; }           // of a split model: of its first part
  const std::vector<GgufTensor>& tensors() const { return tensors_; }  // in the order of the file, part by part

  const GgufTensor* find_tensor(std::string_view name) const;  // nullptr when missing
  const GgufTensor& tensor(std::string_view name) const;       // bad_data "gguf_tensor_missing"

  // How a tensor computes, and its bytes as they lie in the file: rows of ne[0] elements (tensor/blocks.h). A type that
  // is known but does not compute here is refused: bad_data "gguf_unsupported_type".
  DType dtype(const GgufTensor& tensor) const;
  std::span<const std::byte> data(const GgufTensor& tensor) const;

  FileFormat format() const override { return FileFormat::gguf; }
  std::string path() const override;
  std::string architecture() const override;
  std::vector<const MappedFile*> files() const override;
  int64_t file_bytes() const override;
  const std::vector<std::string>& warnings() const override { return warnings_; }  // what is odd, yet harmless
  size_t size() const override { return tensors_.size(); }
  StoredTensor at(size_t i) const override { return stored(tensors_[i]); }
  std::optional<StoredTensor> find(std::string_view name) const override;
  const std::vector<TensorBinding>& bindings(const ModelConfig& c) const override { return c.family().gguf; }
  bool ignored(std::string_view name) const override { return name == "rope_freqs.weight"; }
  std::string computing_types() const override;
  ModelDescription describe() const override;  // gguf_config.cpp

 private:
  friend class GgufParser;
  GgufFile() = default;
  static GgufFile open_one(const std::string& path);
  void join_parts(const std::string& path);
  void join(GgufFile part);
  void index_names();
  StoredTensor stored(const GgufTensor& t) const;

  struct Part {
    std::optional<MappedFile> mapping;  // none for an image
    std::vector<std::byte> header;      // what all string_views point into; empty for an image
    std::span<const std::byte> file;    // the whole file
  };
  std::vector<Part> parts_;
  uint32_t version_ = 0;
  uint64_t alignment_ = 0, data_begin_ = 0;
  GgufMetadata metadata_;
  std::vector<GgufTensor> tensors_;
  std::vector<uint32_t> by_name_;  // sorted, as GgufMetadata has its keys
  std::vector<std::string> warnings_;
};

}  // namespace ridgeline
