// What a GGUF file says about text: its vocabulary and its chat template (gguf.md, section "Tokenizer").
#pragma once
#include <optional>
#include <string>

#include "formats/gguf.h"
#include "text/tokenizer.h"

namespace ridgeline {

// The keys tokenizer.ggml.*, for Tokenizer to check. Files without tokenizer.ggml.pre are taken for "gpt-2" where the
// architecture is gpt2; for another it would be a guess, and is refused. Files of the kind llama do not need it.
// Errors, all bad_data: "unsupported_tokenizer" for any kind but gpt2 and llama, "unsupported_pretokenizer", "bad_vocabulary" for
// counts that exceed base/limits.h or differ, "gguf_key_missing", "gguf_key_type", "gguf_key_range".
Vocabulary read_vocabulary(const GgufFile& file);

// tokenizer.chat_template, unchecked; none where it is missing or empty.
std::optional<std::string> read_chat_template(const GgufFile& file);

}  // namespace ridgeline
