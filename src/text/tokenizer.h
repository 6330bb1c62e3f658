// Text to token ids and back, for vocabularies of byte-level byte-pair encoding (GGUF model "gpt2").
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline {

// What a model file says about its tokens, unchecked. The names are those of GGUF's tokenizer.ggml.* keys.
struct Vocabulary {
  std::string model = "gpt2";       // the kind; only "gpt2" is known
  std::string pre;                  // how text is cut into words; see known_pre_tokenizers()
  std::vector<std::string> tokens;  // spelt in GPT-2's byte alphabet; the index is the id
  std::vector<int32_t> types;       // TokenType per token; empty: all normal
  std::vector<std::string> merges;  // "left right", best first
  std::optional<int64_t> bos, eos, eot, eom, unk, pad;
  std::optional<bool> add_bos;  // whether a prompt begins with bos; absent: as the pre-tokenizer's models expect
  bool add_space_prefix = false;
};

// The values of tokenizer.ggml.token_type.
enum class TokenType : int32_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

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
  // is not UTF-8, too long or there twice, a type or an id is out of range, or a merge names what is not a token. Empty
  // and unused tokens are accepted, decode, and are never produced.
  explicit Tokenizer(const Vocabulary& vocabulary);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  // The ids of a text of at most limits::prompt_bytes (else bad_data "text_too_long"), in time linear in its length.
  // No bos is added: see add_bos(). User-defined tokens are matched always, control and unknown tokens when parsed.
  // A byte that is not part of UTF-8 becomes the token of that byte; bytes that the vocabulary has no token for are
  // dropped, as Hugging Face does.
  std::vector<int32_t> encode(std::string_view text, SpecialTokens special) const;

  // The text of ids, as valid UTF-8: each maximal part that is not (Unicode 16, section 3.9) is one U+FFFD.
  std::string decode(std::span<const int32_t> ids, ControlTokens control = ControlTokens::show) const;
  // The bytes of ids, as they are: decode_bytes(encode(x)) == x where the vocabulary has all 256 bytes and `pre`
  // does not normalize (qwen2 composes: NFC).
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
  bool add_bos() const { return add_bos_; }  // whether a prompt that is no chat should begin with bos
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
  bool add_bos_ = false;
};

// Decodes ids as they come. What it has returned so far is always valid UTF-8, and with flush() equals the whole decode.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, ControlTokens control = ControlTokens::show)
      : tokenizer_(&tokenizer), control_(control) {}

  std::string push(int32_t id);  // the text that this id completes; bytes that may begin a character wait
  std::string flush();           // the end: what waits is U+FFFD now

 private:
  const Tokenizer* tokenizer_;
  ControlTokens control_;
  std::string waiting_;  // at most 3 bytes
};

}  // namespace ridgeline
