#include "instance/model_text.h"

#include "base/error.h"
#include "base/limits.h"
#include "formats/hf_directory.h"
#include "instance/gguf_vocabulary.h"
#include "text/tokenizer_json.h"

namespace ridgeline {
namespace {

const GgufFile* as_gguf(const Checkpoint& model) { return dynamic_cast<const GgufFile*>(&model); }

// A Hugging Face directory that has a file of this name.
const HfDirectory* as_directory(const Checkpoint& model, std::string_view with) {
  auto* directory = dynamic_cast<const HfDirectory*>(&model);
  return directory && directory->has(with) ? directory : nullptr;
}

constexpr std::string_view vocabulary_file = "tokenizer.json", config_file = "tokenizer_config.json",
                           template_file = "chat_template.jinja";

// f(bytes of a file beside the weights), its path put before what f raises.
template <class F>
auto read_beside(const HfDirectory& directory, std::string_view name, F f) {
  MappedFile file = MappedFile::open(directory.file(name));
  try {
    return f(file.bytes());
  } catch (const Error& e) { throw e.loading(file.path()); }
}

std::optional<TokenizerConfig> tokenizer_config(const Checkpoint& model) {
  auto* directory = as_directory(model, config_file);
  if (!directory) return {};
  return read_beside(*directory, config_file, read_tokenizer_config);
}

std::string template_of(std::span<const std::byte> bytes) {
  if (bytes.size() > limits::template_bytes)
    fail(ExitCode::bad_data, "bad_template", "the chat template has {} bytes; expected at most {}", bytes.size(),
         limits::template_bytes);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::optional<Vocabulary> vocabulary_in(const Checkpoint& model) {
  if (auto* gguf = as_gguf(model)) {
    if (!gguf->metadata().has("tokenizer.ggml.model")) return {};
    return read_vocabulary(*gguf);
  }
  auto* directory = as_directory(model, vocabulary_file);
  if (!directory) return {};
  Vocabulary vocabulary = read_beside(*directory, vocabulary_file, read_tokenizer_json);
  if (auto config = tokenizer_config(model)) apply(*config, vocabulary);
  return vocabulary;
}

std::optional<std::string> chat_template_in(const Checkpoint& model) {
  if (auto* gguf = as_gguf(model)) return read_chat_template(*gguf);
  if (auto* directory = as_directory(model, template_file))  // newer than the field of tokenizer_config.json
    return read_beside(*directory, template_file, template_of);
  auto config = tokenizer_config(model);
  return config ? config->chat_template() : std::nullopt;
}

TokenizerFacts tokenizer_facts(const Checkpoint& model) {
  TokenizerFacts facts;
  if (as_directory(model, vocabulary_file)) facts.kind = vocabulary_file;
  auto* gguf = as_gguf(model);
  if (!gguf) return facts;
  const GgufMetadata& m = gguf->metadata();
  facts.kind = m.find<std::string>("tokenizer.ggml.model").value_or("");
  facts.pre = m.find<std::string>("tokenizer.ggml.pre").value_or("");
  if (auto* tokens = m.find_entry("tokenizer.ggml.tokens")) facts.tokens = static_cast<int64_t>(tokens->count);
  return facts;
}

}  // namespace ridgeline
