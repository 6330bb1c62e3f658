#include "instance/gguf_vocabulary.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/printable.h"

namespace ridgeline {
namespace {

constexpr std::string_view tokens_key = "tokenizer.ggml.tokens", types_key = "tokenizer.ggml.token_type",
                           scores_key = "tokenizer.ggml.scores", merges_key = "tokenizer.ggml.merges";

// Before an array of strings is copied: each takes more memory than its bytes in the file.
void check_count(const GgufMetadata& metadata, std::string_view key, uint64_t most) {
  auto* entry = metadata.find_entry(key);
  if (entry && entry->is_array && entry->count > most)
    fail(ExitCode::bad_data, "bad_vocabulary", "metadata key {} has {} elements; expected at most {}.", key,
         entry->count, most);
}

// Integers of another width would convert, but no writer of the format has ever used them: the file is damaged.
void check_types(const GgufMetadata& metadata) {
  auto* entry = metadata.find_entry(types_key);
  if (entry && !(entry->is_array && (entry->type == GgufType::int32 || entry->type == GgufType::uint32)))
    fail(ExitCode::bad_data, "gguf_key_type", "metadata key {} is {}{}; expected an array of INT32.", types_key,
         entry->is_array ? "an array of " : "", name_of(entry->type));
}

}  // namespace

Vocabulary read_vocabulary(const GgufFile& file) {
  const GgufMetadata& m = file.metadata();
  Vocabulary v;
  v.model = m.get<std::string>("tokenizer.ggml.model");
  const bool is_scored = v.model == "llama";
  if (v.model != "gpt2" && !is_scored)
    fail(ExitCode::bad_data, "unsupported_tokenizer",
         "the vocabulary is of the kind {}, which is not supported; expected \"gpt2\" or \"llama\", byte-pair encoding "
         "of bytes or of SentencePiece.",
         printable(v.model));
  if (!is_scored) {
    auto pre = m.find<std::string>("tokenizer.ggml.pre");
    if (!pre && m.find<std::string>("general.architecture") == "gpt2") pre = "gpt-2";
    if (!pre)
      fail(ExitCode::bad_data, "unsupported_pretokenizer",
           "metadata key tokenizer.ggml.pre is missing: how text is cut into words is not known.\n"
           "The file was made by an old converter; convert the model again.");
    v.pre = *pre;
  }

  check_count(m, tokens_key, static_cast<uint64_t>(limits::vocabulary));
  check_count(m, merges_key, limits::merges);
  check_types(m);
  v.tokens = m.get_array<std::string>(tokens_key);
  v.types = m.find_array<int32_t>(types_key).value_or(std::vector<int32_t>());
  if (!is_scored) v.merges = m.get_array<std::string>(merges_key);
  v.scores =
      is_scored ? m.get_array<float>(scores_key) : m.find_array<float>(scores_key).value_or(std::vector<float>());
  if ((is_scored || m.find_entry(scores_key)) && v.scores.size() != v.tokens.size())
    fail(ExitCode::bad_data, "bad_vocabulary", "{} tokens but {} scores: expected one per token", v.tokens.size(),
         v.scores.size());

  auto id = [&](std::string_view name) { return m.find<int64_t>(fmt::format("tokenizer.ggml.{}_token_id", name)); };
  v.bos = id("bos");
  v.eos = id("eos");
  v.eot = id("eot");
  v.eom = id("eom");
  v.unk = id("unknown");
  v.pad = id("padding");
  v.add_bos = m.find<bool>("tokenizer.ggml.add_bos_token");
  v.add_space_prefix = m.find<bool>("tokenizer.ggml.add_space_prefix");
  return v;
}

std::optional<std::string> read_chat_template(const GgufFile& file) {
  auto source = file.metadata().find<std::string>("tokenizer.chat_template");
  return source && !source->empty() ? source : std::nullopt;
}

}  // namespace ridgeline
