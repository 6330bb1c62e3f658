// Reads safetensors files (format.md and the README of huggingface/safetensors): eight bytes of length, a JSON header of that
// length, and the data. Nothing in a file is trusted: when one of these objects exists, every name, type, shape and extent
// has been checked against base/limits.h and against the size of the file, and the tensors fill the data without a hole.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mapped_file.h"
#include "tensor/dtype.h"

namespace ridgeline {

struct SafetensorsType {
  std::string_view name;  // as the format spells it: "BF16"
  uint32_t bits;
  std::optional<DType> dtype;  // how it computes here, if it does
};
// Every type the format has. find_: nullptr for another name; names are upper case.
std::span<const SafetensorsType> safetensors_types();
const SafetensorsType* find_safetensors_type(std::string_view name);

struct SafetensorsTensor {
  std::string name;  // any UTF-8
  const SafetensorsType* type = nullptr;
  std::vector<uint64_t> shape;  // row-major: the contiguous dimension last; none for a single number
  uint64_t elements = 0;
  uint64_t offset = 0;  // from the start of the file
  uint64_t bytes = 0;

  std::string text() const;  // "model.norm.weight (BF16, 576)"
};

class SafetensorsFile {
 public:
  // Maps the file and checks it whole, without reading tensor data: time and memory depend on the header alone. The header
  // is read into memory of its own; tensor data stays in the file until it is touched. Tensor data need not be aligned.
  // Errors: those of MappedFile::open; bad_data, each with an id that begins with "safetensors_" (or is "not_safetensors" or
  // "lfs_pointer") and a message that names the place, what was expected and what was found.
  static SafetensorsFile open(const std::string& path);
  // The same for a file image in memory, which must outlive the object.
  static SafetensorsFile parse(std::span<const std::byte> image);

  uint64_t file_bytes() const { return file_.size(); }
  const std::vector<SafetensorsTensor>& tensors() const { return tensors_; }  // as their data lie in the file
  const std::vector<std::pair<std::string, std::string>>& metadata() const { return metadata_; }
  const std::vector<std::string>& warnings() const { return warnings_; }  // what is odd, yet harmless

  const SafetensorsTensor* find_tensor(std::string_view name) const;  // nullptr when missing
  std::span<const std::byte> data(const SafetensorsTensor& t) const { return file_.subspan(t.offset, t.bytes); }

  // The mapping behind open(); nullptr for an image.
  const MappedFile* mapping() const { return mapping_ ? &*mapping_ : nullptr; }

 private:
  SafetensorsFile() = default;
  void read(std::span<const std::byte> header, uint64_t header_end);
  void place(uint64_t data_begin);
  void index_names();

  std::optional<MappedFile> mapping_;
  std::span<const std::byte> file_;
  std::vector<SafetensorsTensor> tensors_;
  std::vector<uint32_t> by_name_;  // sorted, not hashed: no choice of names makes it slow
  std::vector<std::pair<std::string, std::string>> metadata_;
  std::vector<std::string> warnings_;
};

}  // namespace ridgeline
