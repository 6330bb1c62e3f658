// A vocabulary found good, as the encoder takes it. Private to this folder.
#pragma once
#include <array>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/text_ffi.h"
#include "text/vocabulary.h"

namespace ridgeline {

struct CheckedVocabulary {
  bool is_in_characters;  // the kind llama
  bool is_scored;         // merges go by Vocabulary::scores
  TextRules rules;
  bool adds_bos;                                      // where the file does not say
  std::vector<TokenType> types;                       // one per token
  std::unordered_map<std::string_view, int32_t> ids;  // of all tokens that have a text and are not unused
  std::vector<rl_merge> merges;                       // none where scores decide
  std::optional<std::array<uint32_t, 256>> byte_ids;  // of the kind llama
  std::vector<int32_t> flags;                         // of rl_token, one per token, or empty
  std::optional<int32_t> bos, eos, unk, pad;
  std::vector<int32_t> ends;  // ids that end a turn
};

// Views and slices are of `vocabulary`'s strings. Throws what Tokenizer's constructor says.
CheckedVocabulary check(const Vocabulary& vocabulary);

// The bytes that a token adds to a text. `characters`: as the kind llama spells it, else in GPT-2's byte alphabet, where a
// normal token with a character outside the alphabet stands for its own text.
std::string token_bytes(std::string_view text, TokenType type, bool characters);

// "<0x0A>" -> 10: exactly two hexadecimal digits.
std::optional<uint8_t> byte_of(std::string_view text);

}  // namespace ridgeline
