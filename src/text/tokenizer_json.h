// Hugging Face's tokenizer files, given as their bytes: whoever opens a directory passes them on.
#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>

#include "text/vocabulary.h"

namespace ridgeline {

// tokenizer.json, as the `tokenizers` library writes it, of a byte-pair encoding: ids equal the library's. Known are
// - the model BPE, byte-level or with SentencePiece's "\u2581" for spaces, with byte_fallback, fuse_unk, ignore_merges;
// - the normalizers NFC, Replace and Prepend of "\u2581"; the pre-tokenizers ByteLevel, Digits, Metaspace, and Split with a
//   pattern of TextRules; their Sequences in the orders in which published files have them;
// - the post-processor TemplateProcessing that puts one token before a text: Vocabulary::bos and add_bos;
// - added tokens with their flags. Ids may have gaps, at most as many as there are tokens; gaps are unused tokens.
// bos without a template, eos, pad are not in this file: see TokenizerConfig. truncation and padding are not read.
// Throws bad_data: "bad_json"; "bad_vocabulary" for ids that are negative, too large, twice or too far apart, merges of
// unknown tokens, bytes without a token where byte_fallback needs them; "unsupported_tokenizer" for any other part, by its
// name; "unsupported_regex" for any other pattern: another one would give other tokens. Tokenizer checks the rest.
Vocabulary read_tokenizer_json(std::span<const std::byte> bytes);

// tokenizer_config.json, as far as it matters here. Tokens are texts, whether the file has them as text or as object.
struct TokenizerConfig {
  std::optional<std::string> bos_token, eos_token, unk_token, pad_token;
  std::optional<bool> add_bos_token;
  std::map<std::string, std::string> chat_templates;  // by name; a single one is named "default"

  // The template for plain conversations, if there is one: "default", or the only one there is.
  std::optional<std::string> chat_template() const;
};

// Throws bad_data "bad_json" for what is no JSON, and for a field of these that has another type.
TokenizerConfig read_tokenizer_config(std::span<const std::byte> bytes);

// Sets bos, eos, pad and add_bos from the config; unk where the vocabulary has none. Texts that are no token are left out.
void apply(const TokenizerConfig& config, Vocabulary& vocabulary);

}  // namespace ridgeline
