#include "text/tokenizer.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/error.h"
#include "base/limits.h"
#include "text/ffi.h"
#include "text/utf8.h"

namespace ridgeline {
namespace {

struct PreTokenizer {
  std::string_view name, library_name;
  bool adds_bos;  // what files without add_bos_token expect
};

// llama.cpp's names for them (convert_hf_to_gguf.py) and ours for the library.
constexpr std::array<PreTokenizer, 8> pre_tokenizers = {{
    {"gpt-2", "gpt-2", false},
    {"default", "gpt-2", false},
    {"smollm", "smollm", false},
    {"llama-bpe", "llama-bpe", true},
    {"llama3", "llama-bpe", true},
    {"llama-v3", "llama-bpe", true},
    {"qwen2", "qwen2", false},
    {"deepseek-r1-qwen", "qwen2", false},
}};

// Control tokens with which published models end a turn, beside what the file declares.
constexpr std::array<std::string_view, 9> turn_ends = {"<|im_end|>",    "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>",
                                                       "<|endoftext|>", "<|end|>",    "</s>",       "<|EOT|>",
                                                       "<end_of_turn>"};

const PreTokenizer& find_pre_tokenizer(std::string_view name) {
  for (const PreTokenizer& known : pre_tokenizers)
    if (known.name == name) return known;
  fail(ExitCode::bad_data, "unsupported_pretokenizer",
       "pre-tokenizer \"{}\" is not known, and another one would give other tokens\n"
       "expected one of: {}",
       name.substr(0, 64), fmt::join(known_pre_tokenizers(), ", "));
}

template <class... A>
[[noreturn]] void bad_vocabulary(fmt::format_string<A...> text, A&&... args) {
  fail(ExitCode::bad_data, "bad_vocabulary", text, std::forward<A>(args)...);
}

// A text for a message: short, and safe to print.
std::string quoted(std::string_view text) {
  std::string printable;
  for (char c : text.substr(0, 48)) printable += c >= ' ' && c < 0x7F ? c : '?';
  return text.size() > 48 ? printable + "..." : printable;
}

// GPT-2's byte alphabet, backwards: the byte that a code point below U+0144 stands for, or -1.
constexpr auto byte_of_code_point = [] {
  std::array<int16_t, 0x144> bytes{};
  bytes.fill(-1);
  int next = 0x100;
  for (int byte = 0; byte < 256; byte++) {
    const bool itself = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    bytes[static_cast<size_t>(itself ? byte : next++)] = static_cast<int16_t>(byte);
  }
  return bytes;
}();

// The bytes that a normal token spells; a token with a character outside the alphabet stands for its own text.
std::string spelt_bytes(std::string_view token) {
  std::string bytes;
  for (size_t i = 0; i < token.size(); i++) {
    auto code_point = static_cast<uint8_t>(token[i]) + 0u;
    if (code_point >= 0xC2 && code_point < 0xE0) code_point = (code_point & 0x1F) << 6 | (token[++i] & 0x3F);
    const int byte = code_point < byte_of_code_point.size() ? byte_of_code_point[code_point] : -1;
    if (byte < 0) return std::string(token);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

using Ids = std::unordered_map<std::string_view, int32_t>;

std::vector<TokenType> check_tokens(const Vocabulary& v, Ids& ids) {
  if (v.tokens.empty()) bad_vocabulary("the vocabulary has no tokens");
  if (v.tokens.size() > static_cast<uint64_t>(limits::vocabulary))
    bad_vocabulary("{} tokens exceed {}", v.tokens.size(), limits::vocabulary);
  if (!v.types.empty() && v.types.size() != v.tokens.size())
    bad_vocabulary("{} tokens but {} token types: expected one per token", v.tokens.size(), v.types.size());

  std::vector<TokenType> types(v.tokens.size(), TokenType::normal);
  for (size_t id = 0; id < v.tokens.size(); id++) {
    const std::string& text = v.tokens[id];
    if (!v.types.empty()) {
      if (v.types[id] < 1 || v.types[id] > 6) bad_vocabulary("token {} has type {}: expected 1 to 6", id, v.types[id]);
      types[id] = static_cast<TokenType>(v.types[id]);
    }
    const bool added = types[id] != TokenType::normal && types[id] != TokenType::byte;
    const uint64_t longest = added ? limits::special_token_bytes : limits::token_bytes;
    if (text.size() > longest) bad_vocabulary("token {} has {} bytes: expected at most {}", id, text.size(), longest);
    if (!is_utf8(text)) bad_vocabulary("token {} (\"{}\") is not UTF-8", id, quoted(text));
    if (text.empty() || types[id] == TokenType::unused) continue;
    auto [first, is_new] = ids.emplace(text, static_cast<int32_t>(id));
    if (!is_new) bad_vocabulary("tokens {} and {} are both \"{}\"", first->second, id, quoted(text));
  }
  return types;
}

// The two sides of each merge, cut at the first space that is not its first byte.
std::vector<rl_merge> check_merges(const Vocabulary& v, const Ids& ids, const std::vector<TokenType>& types) {
  if (v.merges.size() > limits::merges) bad_vocabulary("{} merges exceed {}", v.merges.size(), limits::merges);
  auto is_merged = [&](std::string_view text) {
    auto found = ids.find(text);
    if (found == ids.end()) return false;
    const TokenType type = types[static_cast<size_t>(found->second)];
    return type == TokenType::normal || type == TokenType::byte;
  };
  std::vector<rl_merge> merges;
  merges.reserve(v.merges.size());
  std::string joined;
  for (size_t i = 0; i < v.merges.size(); i++) {
    const std::string_view merge = v.merges[i];
    const size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos || space + 1 == merge.size())
      bad_vocabulary("merge {} (\"{}\") is not two tokens with a space between", i, quoted(merge));
    const std::string_view left = merge.substr(0, space), right = merge.substr(space + 1);
    joined.assign(left).append(right);
    for (std::string_view part : {left, right, std::string_view(joined)})
      if (!is_merged(part))
        bad_vocabulary("merge {} (\"{}\"): \"{}\" is not a normal token", i, quoted(merge), quoted(part));
    merges.push_back({slice(left), slice(right)});
  }
  return merges;
}

std::optional<int32_t> check_id(const char* name, std::optional<int64_t> id, size_t size) {
  if (!id) return {};
  if (*id < 0 || static_cast<uint64_t>(*id) >= size)
    bad_vocabulary("{}_token_id is {}: expected 0 to {}", name, *id, size - 1);
  return static_cast<int32_t>(*id);
}

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
  Ids ids;  // views of tokens
};

std::vector<std::string> known_pre_tokenizers() {
  std::vector<std::string> names;
  for (const PreTokenizer& known : pre_tokenizers) names.emplace_back(known.name);
  return names;
}

Tokenizer::Tokenizer(const Vocabulary& v) : strings_(new Strings), encoder_(new Encoder) {
  if (v.model != "gpt2")
    fail(ExitCode::bad_data, "unsupported_tokenizer", "tokenizer \"{}\" is not supported: expected gpt2",
         quoted(v.model));
  const PreTokenizer& pre = find_pre_tokenizer(v.pre);

  Ids ids;
  types_ = check_tokens(v, ids);
  const std::vector<rl_merge> merges = check_merges(v, ids, types_);
  bos_ = check_id("bos", v.bos, v.tokens.size());
  eos_ = check_id("eos", v.eos, v.tokens.size());
  unk_ = check_id("unknown", v.unk, v.tokens.size());
  pad_ = check_id("padding", v.pad, v.tokens.size());
  add_bos_ = v.add_bos.value_or(pre.adds_bos) && bos_;

  std::vector<rl_token> tokens;
  tokens.reserve(v.tokens.size());
  strings_->tokens.reserve(v.tokens.size());
  for (size_t id = 0; id < v.tokens.size(); id++) {
    const std::string& text = v.tokens[id];
    tokens.push_back({slice(text), text.empty() ? 0 : library_kind(types_[id])});
    const bool spelt = types_[id] == TokenType::normal || types_[id] == TokenType::byte;
    std::string bytes = spelt ? spelt_bytes(text) : text;
    const bool same = bytes == text;
    strings_->tokens.push_back({text, same ? std::string() : std::move(bytes), same});
  }
  for (auto [text, id] : ids) strings_->ids.emplace(strings_->tokens[static_cast<size_t>(id)].text, id);

  for (auto id : {eos_, check_id("eot", v.eot, v.tokens.size()), check_id("eom", v.eom, v.tokens.size())})
    if (id) end_ids_.push_back(*id);
  for (std::string_view text : turn_ends)
    if (auto id = find(text); id && is_special(*id)) end_ids_.push_back(*id);
  std::sort(end_ids_.begin(), end_ids_.end());

  const rl_vocabulary library_vocabulary = {
      .tokens = tokens.data(),
      .token_count = tokens.size(),
      .merges = merges.data(),
      .merge_count = merges.size(),
      .pre_tokenizer = slice(pre.library_name),
      .add_prefix_space = v.add_space_prefix,
  };
  Collected error;
  if (rl_encoder_new(&library_vocabulary, &encoder_->library, error.sink()) != rl_ok)
    bad_vocabulary("{}", error.text());
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
  waiting_ += tokenizer_->token_bytes(id);
  append_utf8(waiting_, text);
  return text;
}

std::string StreamDecoder::flush() {
  std::string text(waiting_.empty() ? std::string_view() : replacement_character);
  waiting_.clear();
  return text;
}

}  // namespace ridgeline
