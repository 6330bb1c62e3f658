// From a GGUF file's metadata to a family's config, with every weight of the model checked against its tensors.
#pragma once
#include <string>
#include <vector>

#include "formats/gguf.h"
#include "models/catalogue.h"

namespace ridgeline {

struct GgufModel {
  std::string name;  // general.name in printable ASCII, or the architecture where there is none
  ModelConfig config;
  std::vector<std::string> warnings;
  std::vector<const GgufTensor*> unsupported;  // weights of a type that nothing computes with; they point into the file
};

// Reads general.architecture ("llama", "gpt2") and the metadata keys of that architecture, as gguf.md names them, holds
// them to base/limits.h, and checks that each weight of the program which build(config) makes is there, with its shape.
// The vocabulary may be smaller than the embedding (padded models), never larger. No tensor data is read but
// rope_freqs.weight.
// Errors, all bad_data, naming key or tensor, what was expected and what was found: "unsupported_arch",
// "unsupported_model" (an architecture known, a variant of it not: experts, partial or YaRN rotary positions),
// "gguf_key_missing", "gguf_key_type", "gguf_key_range", "gguf_layers", "gguf_vocabulary", "gguf_tensor_missing",
// "gguf_tensor_shape", "gguf_tensor_unexpected" (in a layer: leaving it out would change the answers).
GgufModel describe_model(const GgufFile& file);

// The same for a model that is to run: refuses one with unsupported weights, bad_data "gguf_unsupported_type".
GgufModel read_model_config(const GgufFile& file);

}  // namespace ridgeline
