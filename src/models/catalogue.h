// The families, and the published shapes: known by name, without weights.
#pragma once
#include <variant>

#include "models/gpt2.h"
#include "models/llama.h"

namespace ridgeline {

// A family is a config struct, a function to a Program, and a binding table per file format.
using ModelConfig = std::variant<LlamaConfig, Gpt2Config>;

Program build(std::string name, DType matrices, const ModelConfig&);
const std::vector<TensorBinding>& gguf_bindings(const ModelConfig&);
std::string_view gguf_architecture(const ModelConfig&);  // the value of general.architecture
int64_t vocabulary_of(const ModelConfig&);
int64_t context_of(const ModelConfig&);  // tokens the model was trained for
int head_dim_of(const ModelConfig&);
int kv_heads_of(const ModelConfig&);
int layers_of(const ModelConfig&);

struct CatalogueEntry {
  std::string_view name;
  ModelConfig config;
};
const std::vector<CatalogueEntry>& catalogue();
const CatalogueEntry* find_in_catalogue(std::string_view name);
// Throws Error (usage) naming the nearest entries.
const CatalogueEntry& from_catalogue(std::string_view name);

}  // namespace ridgeline
