// What a model in files says about text, whatever their format.
#pragma once
#include <optional>
#include <string>

#include "formats/checkpoint.h"
#include "text/tokenizer.h"

namespace ridgeline {

// The vocabulary, for Tokenizer to check; none where the files have no tokenizer. Errors: those of its reader
// (gguf_vocabulary.h, text/tokenizer_json.h).
std::optional<Vocabulary> vocabulary_in(const Checkpoint&);
// The chat template, unchecked; none where it is missing or empty.
std::optional<std::string> chat_template_in(const Checkpoint&);

// For a person to read, whether it can be used or not.
struct TokenizerFacts {
  std::string kind, pre;  // empty: there is none, or it does not say; a directory's kind is the name of its file
  int64_t tokens = 0;     // 0: it takes reading the whole vocabulary to know
};
TokenizerFacts tokenizer_facts(const Checkpoint&);

}  // namespace ridgeline
