// What a model file says about its tokens and how text becomes them. Nothing in it is checked: Tokenizer does.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ridgeline {

// The values of tokenizer.ggml.token_type.
enum class TokenType : int32_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

// Where a space is put before the text that stands between added tokens (those that are found before text is cut).
enum class SpacePrefix {
  none = 0,
  where_missing = 1,        // each such text that does not begin with one
  always = 2,               // each such text, before `normalized` tokens are found
  first_where_missing = 3,  // only the text's beginning, if it is none and no added token
};

// What stands for a byte or a character that has no token.
enum class Unknown {
  dropped,  // nothing
  each,     // Vocabulary::unk
  run,      // Vocabulary::unk once, for those side by side
};

// How text becomes the words that are merged.
struct TextRules {
  std::string pattern;           // a published one: gpt-2, llama-3, qwen2, tekken, gpt-4o; empty: text is one word
  bool digits_apart = false;     // every numeric character is a word
  bool compose = false;          // Unicode's normal form C first
  bool whole_words = false;      // a word that is a token needs no merges
  bool words_at_spaces = false;  // each space begins a word; only of the kind "llama"
  SpacePrefix space_prefix = SpacePrefix::none;
  bool strips_space = false;  // a space at the beginning of a decoded text is left out
  Unknown unknown = Unknown::dropped;
};

// How a user-defined, control or unknown token is found, where it is not simply its text in the text.
struct AddedTokenRule {
  int32_t id;
  bool lstrip = false, rstrip = false;  // takes the whitespace on that side
  bool single_word = false;             // only where no letter, digit or '_' touches it
  bool normalized = false;              // in the text as it is composed, spelt and given its prefix
  bool is_merged = false;               // it is a product of merges too
};

// The names are those of GGUF's tokenizer.ggml.* keys.
struct Vocabulary {
  // "gpt2": byte-level byte-pair encoding. "llama": SentencePiece's, of characters, with bytes for those that are no token.
  std::string model = "gpt2";
  std::string pre;                 // the rules by name, see known_pre_tokenizers(); not of the kind llama
  std::optional<TextRules> rules;  // instead of pre and add_space_prefix
  std::vector<std::string>
      tokens;                  // gpt2: spelt in GPT-2's byte alphabet; llama: a space is U+2581. The index is the id
  std::vector<int32_t> types;  // TokenType per token; empty: all normal (llama: "<0x0A>" and its like bytes)
  std::vector<std::string> merges;                // "left right", best first; not of the kind llama
  std::vector<std::array<int32_t, 2>> merge_ids;  // or the ids of both, of either kind
  std::vector<float> scores;  // llama, where there are no merge_ids: one per token, the highest first
  std::vector<AddedTokenRule> added_rules;
  std::optional<int64_t> bos, eos, eot, eom, unk, pad;
  std::vector<int64_t> ends;             // further ids that end a turn
  std::optional<bool> add_bos;           // whether a prompt begins with bos; absent: as models of the kind expect
  std::optional<bool> add_space_prefix;  // absent: no for gpt2, yes for llama
};

}  // namespace ridgeline
