#include "text/tokenizer.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/error.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "text/ffi.h"
#include "text/vocabulary_check.h"

namespace ridgeline {
namespace {

// Control tokens with which published models end a turn, beside what the file declares.
constexpr std::array<std::string_view, 9> turn_ends = {"<|im_end|>",    "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>",
                                                       "<|endoftext|>", "<|end|>",    "</s>",       "<|EOT|>",
                                                       "<end_of_turn>"};

int32_t library_kind(TokenType type) {
  switch (type) {
    case TokenType::normal:
    case TokenType::byte: return 1;
    case TokenType::user_defined: return 2;
    case TokenType::control:
    case TokenType::unknown: return 3;
    case TokenType::unused: return 0;
  }
  return 0;
}

}  // namespace

struct Tokenizer::Encoder {
  rl_encoder* library = nullptr;

  Encoder() = default;
  Encoder(const Encoder&) = delete;
  ~Encoder() { rl_encoder_free(library); }
};

struct Tokenizer::Strings {
  struct Token {
    std::string text, bytes;  // bytes is empty where it equals text
    bool same;
  };
  std::vector<Token> tokens;
  std::unordered_map<std::string_view, int32_t> ids;  // views of tokens
};

Tokenizer::Tokenizer(const Vocabulary& v) : strings_(new Strings), encoder_(new Encoder) {
  CheckedVocabulary checked = ridgeline::check(v);
  types_ = std::move(checked.types);
  bos_ = checked.bos, eos_ = checked.eos, unk_ = checked.unk, pad_ = checked.pad;
  add_bos_ = v.add_bos.value_or(checked.adds_bos) && bos_;
  strips_space_ = checked.rules.strips_space;

  std::vector<rl_token> tokens;
  tokens.reserve(v.tokens.size());
  strings_->tokens.reserve(v.tokens.size());
  for (size_t id = 0; id < v.tokens.size(); id++) {
    const std::string& text = v.tokens[id];
    const bool is_bytes = checked.is_in_characters && types_[id] == TokenType::byte;
    tokens.push_back({slice(text), text.empty() || is_bytes ? 0 : library_kind(types_[id]),
                      checked.flags.empty() ? 0 : checked.flags[id]});
    std::string bytes = ridgeline::token_bytes(text, types_[id], checked.is_in_characters);
    // Looked for in text that was given its prefix, it is found with a space before it.
    if (checked.rules.space_prefix == SpacePrefix::always && tokens.back().flags & rl_normalized)
      bytes.insert(0, 1, ' ');
    const bool same = bytes == text;
    strings_->tokens.push_back({text, same ? std::string() : std::move(bytes), same});
  }
  strings_->ids.reserve(checked.ids.size());
  for (auto [text, id] : checked.ids) strings_->ids.emplace(strings_->tokens[static_cast<size_t>(id)].text, id);

  end_ids_ = std::move(checked.ends);
  for (std::string_view text : turn_ends)
    if (auto id = find(text); id && is_special(*id)) end_ids_.push_back(*id);
  std::sort(end_ids_.begin(), end_ids_.end());

  const TextRules& rules = checked.rules;
  const rl_vocabulary library_vocabulary = {
      .tokens = tokens.data(),
      .token_count = tokens.size(),
      .merges = checked.merges.data(),
      .merge_count = checked.merges.size(),
      .scores = checked.is_scored ? v.scores.data() : nullptr,
      .byte_ids = checked.byte_ids ? checked.byte_ids->data() : nullptr,
      .unknown = rules.unknown == Unknown::dropped ? -1 : unk_.value_or(-1),
      .fuse_unknown = rules.unknown == Unknown::run,
      .pattern = slice(rules.pattern),
      .is_in_characters = checked.is_in_characters,
      .words_at_spaces = rules.words_at_spaces,
      .digits_apart = rules.digits_apart,
      .compose = rules.compose,
      .whole_words = rules.whole_words,
      .space_prefix = static_cast<int32_t>(rules.space_prefix),
  };
  Collected error;
  if (rl_encoder_new(&library_vocabulary, &encoder_->library, error.sink()) != rl_ok)
    fail(ExitCode::bad_data, "bad_vocabulary", "{}", error.text());
}

Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

std::vector<int32_t> Tokenizer::encode(std::string_view text, SpecialTokens special) const {
  return encode(text, special, 0);
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, SpecialTokens special, char32_t breaker) const {
  if (text.size() > limits::prompt_bytes)
    fail(ExitCode::bad_data, "text_too_long", "a text of {} bytes exceeds {}", text.size(), limits::prompt_bytes);
  Collected result;
  const rl_status status =
      rl_encode(encoder_->library, slice(text), special == SpecialTokens::parse, breaker, result.sink());
  if (status != rl_ok) fail(ExitCode::internal, "tokenizer_fault", "encoding failed: {}", result.text());
  std::vector<int32_t> ids(result.bytes.size() / sizeof(int32_t));
  if (!ids.empty()) std::memcpy(ids.data(), result.bytes.data(), ids.size() * sizeof(int32_t));
  return ids;
}

std::string Tokenizer::break_special(std::string_view text, char32_t breaker) const {
  Collected result;
  if (rl_break_special(encoder_->library, slice(text), breaker, result.sink()) != rl_ok)
    fail(ExitCode::internal, "tokenizer_fault", "marking a text failed: {}", result.text());
  return result.text();
}

std::string Tokenizer::decode(std::span<const int32_t> ids, ControlTokens control) const {
  StreamDecoder decoder(*this, control);
  std::string text;
  for (int32_t id : ids) text += decoder.push(id);
  return text + decoder.flush();
}

std::string Tokenizer::decode_bytes(std::span<const int32_t> ids) const {
  std::string bytes;
  for (int32_t id : ids) bytes += token_bytes(id);
  if (strips_space_ && bytes.starts_with(' ')) bytes.erase(0, 1);
  return bytes;
}

void Tokenizer::check(int32_t id) const {
  if (id < 0 || id >= size())
    fail(ExitCode::bad_data, "token_out_of_range", "token {} does not exist: expected 0 to {}", id, size() - 1);
}

std::string_view Tokenizer::token_text(int32_t id) const {
  check(id);
  return strings_->tokens[static_cast<size_t>(id)].text;
}

std::string_view Tokenizer::token_bytes(int32_t id) const {
  check(id);
  const Strings::Token& token = strings_->tokens[static_cast<size_t>(id)];
  return token.same ? token.text : token.bytes;
}

TokenType Tokenizer::type(int32_t id) const {
  check(id);
  return types_[static_cast<size_t>(id)];
}

bool Tokenizer::is_special(int32_t id) const {
  return type(id) == TokenType::control || type(id) == TokenType::unknown;
}

bool Tokenizer::is_end_of_generation(int32_t id) const {
  check(id);
  return std::binary_search(end_ids_.begin(), end_ids_.end(), id);
}

std::optional<int32_t> Tokenizer::find(std::string_view text) const {
  auto found = strings_->ids.find(text);
  if (found == strings_->ids.end()) return {};
  return found->second;
}

std::string StreamDecoder::push(int32_t id) {
  std::string text;
  if (control_ == ControlTokens::hide && tokenizer_->is_special(id)) return text;
  std::string_view bytes = tokenizer_->token_bytes(id);
  if (strips_space_ && bytes.starts_with(' ')) bytes.remove_prefix(1);
  strips_space_ = strips_space_ && tokenizer_->token_bytes(id).empty();
  waiting_ += bytes;
  append_utf8(waiting_, text);
  return text;
}

std::string StreamDecoder::flush() {
  std::string text(waiting_.empty() ? std::string_view() : replacement_character);
  waiting_.clear();
  return text;
}

}  // namespace ridgeline
