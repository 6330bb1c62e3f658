// The published shapes of all families, known by name, without weights; and what is asked of a config of any family.
#pragma once
#include "models/family.h"
#include "models/gpt2.h"
#include "models/llama.h"

namespace ridgeline {

inline Program build(std::string name, DType matrices, const ModelConfig& c) {
  return c.family().build(std::move(name), matrices, c);
}
inline const std::vector<TensorBinding>& gguf_bindings(const ModelConfig& c) { return c.family().gguf; }
inline std::string_view gguf_architecture(const ModelConfig& c) { return c.family().architecture; }
inline int64_t vocabulary_of(const ModelConfig& c) { return c.facts().vocab; }
inline int64_t context_of(const ModelConfig& c) { return c.facts().context; }  // tokens the model was trained for
inline int head_dim_of(const ModelConfig& c) { return c.facts().head_dim; }
inline HeadRows head_rows(const ModelConfig& c) { return {c.facts().head_dim, c.facts().turned, c.facts().kv_heads}; }
inline int kv_heads_of(const ModelConfig& c) { return c.facts().kv_heads; }
inline int layers_of(const ModelConfig& c) { return c.facts().layers; }

// Family by family, each in the order of its file.
const std::vector<CatalogueEntry>& catalogue();
const CatalogueEntry* find_in_catalogue(std::string_view name);
// Throws Error (usage) naming the nearest entries.
const CatalogueEntry& from_catalogue(std::string_view name);

}  // namespace ridgeline
