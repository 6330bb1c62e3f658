// A model in files, whatever their format: tensors by name, and what the files say of the model.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "formats/generation_defaults.h"
#include "models/catalogue.h"
#include "tensor/dtype.h"

namespace ridgeline {

// A tensor as a file stores it. A small value: its views point into the checkpoint, and live as long.
struct StoredTensor {
  std::string_view name;
  std::string_view type;       // as the format spells it: "Q4_K", "BF16"
  std::optional<DType> dtype;  // how it computes here, if it does
  std::vector<int64_t> shape;  // row-major: the contiguous dimension last
  int64_t elements = 0;
  uint64_t offset = 0;               // in its file
  std::span<const std::byte> bytes;  // as they lie in the file
  const MappedFile* file = nullptr;  // that they are mapped from; nullptr: they are in memory
  FileFormat format = FileFormat::gguf;

  std::vector<int64_t> dimensions() const { return dimensions(shape, format); }  // in the format's order
  std::string shape_text() const { return shape_text(shape, format); }           // "1536 x 576", in the format's order
  std::string text() const;  // "blk.0.ffn_down.weight (Q4_0, 1536 x 576)"
  static std::vector<int64_t> dimensions(std::vector<int64_t> row_major, FileFormat);
  static std::string shape_text(const std::vector<int64_t>& row_major, FileFormat);
};

// What the files of a model say of it.
struct ModelDescription {
  std::string name;  // in printable ASCII
  ModelConfig config;
  std::vector<std::string> warnings;
  std::vector<StoredTensor> unsupported;  // weights of a type that nothing computes with
};

class Checkpoint {
 public:
  virtual ~Checkpoint() = default;
  virtual FileFormat format() const = 0;
  virtual std::string path() const = 0;  // of the file, or the directory; empty: an image in memory
  virtual std::vector<const MappedFile*> files() const = 0;
  virtual std::string architecture() const = 0;  // as the files have it; empty where they have none
  virtual int64_t file_bytes() const = 0;        // of all files with tensors
  virtual const std::vector<std::string>& warnings() const = 0;

  virtual size_t size() const = 0;                                            // tensors
  virtual StoredTensor at(size_t) const = 0;                                  // in the order of the files
  virtual std::optional<StoredTensor> find(std::string_view name) const = 0;  // by a name of a binding table
  std::optional<StoredTensor> find(const BoundTensor&) const;
  virtual const std::vector<TensorBinding>& bindings(const ModelConfig&) const = 0;
  // Of the matrices, where the weights are not there and the config says it.
  virtual std::optional<DType> declared_type() const { return {}; }
  virtual bool ignored(std::string_view name) const = 0;  // a tensor of no consequence, though in the layers
  virtual std::string computing_types() const = 0;        // "F32, F16, BF16": types that compute here

  // The tensor behind a weight of a program, and how it holds it. Errors (bad_data): "FORMAT_tensor_missing";
  // "FORMAT_unsupported_type" for one that does not compute. FORMAT is gguf or safetensors.
  struct Source {
    StoredTensor tensor;
    TensorBinding rule;
  };
  Source source(const ModelConfig&, const std::string& weight) const;
  // What generating text begins with; nothing where the files say nothing.
  virtual GenerationDefaults generation_defaults() const { return {}; }
  // Errors: see describe_model.
  virtual ModelDescription describe() const = 0;

  std::string error_id(std::string_view what) const;  // "gguf_tensor_missing"
  void require_unchanged() const;                     // of every file: io, "file_changed"

 protected:
  // Checks that each weight of the program which build(config) makes is there with its shape, and that no layer holds a tensor
  // beside; notes what does not compute, and what is left over.
  void check_weights(ModelDescription&) const;
};

// The config of the model, each weight of its program checked to be there with its shape. No tensor data is read but
// rope_freqs.weight of a GGUF file.
// Errors, all bad_data, naming key or tensor, what was expected and what was found: "unsupported_arch", "unsupported_model" (a
// family known, a variant of it not: experts, partial or YaRN rotary positions), "FORMAT_tensor_missing",
// "FORMAT_tensor_shape", "FORMAT_tensor_unexpected" (in a layer: leaving it out would change the answers); GGUF:
// "gguf_key_missing", "gguf_key_type", "gguf_key_range", "gguf_layers", "gguf_vocabulary" (it may be smaller than the embedding,
// never larger); directories: "config_missing", "config_type", "config_range".
ModelDescription describe_model(const Checkpoint&);
// The same for a model that is to run: refuses one with unsupported weights, bad_data "FORMAT_unsupported_type".
ModelDescription read_model_config(const Checkpoint&);

// "a, b, c and 9 more": as much of a list as a message should hold.
std::string few(const std::vector<std::string>& items);
// The first of a name's characters, fit for a terminal, a JSON string and one line of a table.
std::string plain_name(std::string_view name);

}  // namespace ridgeline
