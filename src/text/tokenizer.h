// Text to token ids and back, for vocabularies of byte-pair encoding: byte-level (GGUF's kind "gpt2") and SentencePiece's
// ("llama").
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace ridgeline {

enum class SpecialTokens {
  as_text,  // "<|im_end|>" in the text is eleven characters: for whatever a user wrote
  parse,    // it is the token: for templates
};

enum class ControlTokens { show, hide };

// The values of Vocabulary::pre that are known, with their synonyms.
std::vector<std::string> known_pre_tokenizers();

// Encodes and decodes. Immutable: one may be used by many threads at once.
class Tokenizer {
 public:
  // Throws bad_data: "unsupported_tokenizer", "unsupported_pretokenizer", or "bad_vocabulary" where counts differ, a token
  // is not UTF-8, too long or there twice, a type or an id is out of range, a merge names what is not a token, a score is
  // no number, or only some bytes have a token. Empty and unused tokens are accepted, decode, and are never produced.
  explicit Tokenizer(const Vocabulary& vocabulary);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  // The ids of a text of at most limits::prompt_bytes (else bad_data "text_too_long"), in time linear in its length.
  // No bos is added: see add_bos(). User-defined tokens are matched always, control and unknown tokens when parsed.
  // A byte that is not part of UTF-8 becomes the token of that byte; bytes that the vocabulary has no token for are
  // dropped, as Hugging Face does, or, of the kind llama, are the unknown token, one for a run of characters.
  std::vector<int32_t> encode(std::string_view text, SpecialTokens special) const;

  // The text of ids, as valid UTF-8: each maximal part that is not (Unicode 16, section 3.9) is one U+FFFD. Where encode()
  // puts a space before a text, one at its beginning is left out.
  std::string decode(std::span<const int32_t> ids, ControlTokens control = ControlTokens::show) const;
  // The bytes of ids, likewise: decode_bytes(encode(x)) == x where the vocabulary has all 256 bytes, but for what the
  // vocabulary's rules change: qwen2 composes (NFC), the kind llama makes spaces of U+2581, and where a space is put
  // before text that follows an added token, it stays.
  std::string decode_bytes(std::span<const int32_t> ids) const;

  // Ids from outside are checked: every function that takes one throws bad_data "token_out_of_range".
  int32_t size() const { return static_cast<int32_t>(types_.size()); }
  std::string_view token_text(int32_t id) const;   // as the file spells it
  std::string_view token_bytes(int32_t id) const;  // what it adds to a text; may be a part of a character
  TokenType type(int32_t id) const;
  bool is_special(int32_t id) const;  // a control or unknown token
  // Whether a model ends its turn with it: eos, eot, eom, and the control tokens that published models use for it.
  bool is_end_of_generation(int32_t id) const;

  std::optional<int32_t> bos() const { return bos_; }
  std::optional<int32_t> eos() const { return eos_; }
  std::optional<int32_t> unk() const { return unk_; }
  std::optional<int32_t> pad() const { return pad_; }
  bool strips_space() const { return strips_space_; }  // decode() leaves out a space at the beginning
  bool add_bos() const { return add_bos_; }            // whether a prompt that is no chat should begin with bos
  // The id of the token with exactly this text, if there is one.
  std::optional<int32_t> find(std::string_view text) const;

 private:
  friend class ChatEncoder;
  struct Encoder;  // the Rust library's
  struct Strings;  // texts and bytes, end to end

  void check(int32_t id) const;
  std::vector<int32_t> encode(std::string_view text, SpecialTokens special, char32_t breaker) const;
  std::string break_special(std::string_view text, char32_t breaker) const;

  std::unique_ptr<Strings> strings_;
  std::unique_ptr<Encoder> encoder_;
  std::vector<TokenType> types_;
  std::vector<int32_t> end_ids_;  // sorted
  std::optional<int32_t> bos_, eos_, unk_, pad_;
  bool add_bos_ = false, strips_space_ = false;
};

enum class DecodeFrom {
  beginning,  // of a text
  middle,     // what follows other text: a space at its beginning stays
};

// Decodes ids as they come. What it has returned so far is always valid UTF-8, and with flush() equals the whole decode.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, ControlTokens control = ControlTokens::show,
                         DecodeFrom from = DecodeFrom::beginning)
      : tokenizer_(&tokenizer),
        control_(control),
        strips_space_(tokenizer.strips_space() && from == DecodeFrom::beginning) {}

  std::string push(int32_t id);  // the text that this id completes; bytes that may begin a character wait
  std::string flush();           // the end: what waits is U+FFFD now

 private:
  const Tokenizer* tokenizer_;
  ControlTokens control_;
  bool strips_space_;    // still: nothing has come yet
  std::string waiting_;  // at most 3 bytes
};

}  // namespace ridgeline
