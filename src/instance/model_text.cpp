#include "instance/model_text.h"

#include "instance/gguf_vocabulary.h"

namespace ridgeline {
namespace {

const GgufFile* as_gguf(const Checkpoint& model) { return dynamic_cast<const GgufFile*>(&model); }

}  // namespace

std::optional<Vocabulary> vocabulary_in(const Checkpoint& model) {
  if (auto* gguf = as_gguf(model)) return read_vocabulary(*gguf);
  return {};
}

std::optional<std::string> chat_template_in(const Checkpoint& model) {
  if (auto* gguf = as_gguf(model)) return read_chat_template(*gguf);
  return {};
}

TokenizerFacts tokenizer_facts(const Checkpoint& model) {
  auto* gguf = as_gguf(model);
  if (!gguf) return {};
  const GgufMetadata& m = gguf->metadata();
  TokenizerFacts facts;
  facts.kind = m.find<std::string>("tokenizer.ggml.model").value_or("");
  facts.pre = m.find<std::string>("tokenizer.ggml.pre").value_or("");
  if (auto* tokens = m.find_entry("tokenizer.ggml.tokens")) facts.tokens = static_cast<int64_t>(tokens->count);
  return facts;
}

}  // namespace ridgeline
