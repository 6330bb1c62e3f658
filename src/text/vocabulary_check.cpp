#include "text/vocabulary_check.h"

#include <cmath>

#include "base/error.h"
#include "base/limits.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "text/ffi.h"
#include "text/tokenizer.h"

namespace ridgeline {
namespace {

struct PreTokenizer {
  std::string_view name, pattern;
  bool digits_apart, compose, whole_words;
  bool adds_bos;  // what files without add_bos_token expect
};

// llama.cpp's names (convert_hf_to_gguf.py).
constexpr std::array<PreTokenizer, 10> pre_tokenizers = {{
    {"gpt-2", "gpt-2", false, false, false, false},
    {"default", "gpt-2", false, false, false, false},
    {"smollm", "gpt-2", true, false, false, false},
    {"llama-bpe", "llama-3", false, false, true, true},
    {"llama3", "llama-3", false, false, true, true},
    {"llama-v3", "llama-3", false, false, true, true},
    {"qwen2", "qwen2", false, true, false, false},
    {"deepseek-r1-qwen", "qwen2", false, true, false, false},
    {"tekken", "tekken", false, false, true, true},
    {"gpt-4o", "gpt-4o", false, false, false, false},
}};

constexpr std::string_view space = "\xE2\x96\x81";  // U+2581, which stands for one

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

void check_rules(const Vocabulary& v, CheckedVocabulary& checked) {
  if (v.model != "gpt2" && v.model != "llama")
    fail(ExitCode::bad_data, "unsupported_tokenizer",
         "tokenizers of the kind {} are not supported: expected \"gpt2\" or \"llama\", byte-pair encoding of bytes "
         "or "
         "of SentencePiece",
         printable(v.model));
  checked.is_in_characters = v.model == "llama";
  checked.adds_bos = checked.is_in_characters;
  if (v.rules) {
    checked.rules = *v.rules;
  } else if (checked.is_in_characters) {
    const bool prefix = v.add_space_prefix.value_or(true);
    checked.rules = {.space_prefix = prefix ? SpacePrefix::always : SpacePrefix::none,
                     .strips_space = prefix,
                     .unknown = Unknown::run};
    checked.is_scored = true;
  } else {
    const PreTokenizer& pre = find_pre_tokenizer(v.pre);
    const bool prefix = v.add_space_prefix.value_or(false);
    checked.adds_bos = pre.adds_bos;
    checked.rules = {.pattern = std::string(pre.pattern),
                     .digits_apart = pre.digits_apart,
                     .compose = pre.compose,
                     .whole_words = pre.whole_words,
                     .space_prefix = prefix ? SpacePrefix::where_missing : SpacePrefix::none};
  }
}

void check_tokens(const Vocabulary& v, CheckedVocabulary& checked) {
  if (v.tokens.empty()) bad_vocabulary("the vocabulary has no tokens");
  if (v.tokens.size() > static_cast<uint64_t>(limits::vocabulary))
    bad_vocabulary("{} tokens exceed {}", v.tokens.size(), limits::vocabulary);
  if (!v.types.empty() && v.types.size() != v.tokens.size())
    bad_vocabulary("{} tokens but {} token types: expected one per token", v.tokens.size(), v.types.size());

  std::vector<TokenType>& types = checked.types;
  types.assign(v.tokens.size(), TokenType::normal);
  checked.ids.reserve(v.tokens.size());
  uint64_t added_count = 0;
  for (size_t id = 0; id < v.tokens.size(); id++) {
    const std::string& text = v.tokens[id];
    if (!v.types.empty()) {
      if (v.types[id] < 1 || v.types[id] > 6) bad_vocabulary("token {} has type {}: expected 1 to 6", id, v.types[id]);
      types[id] = static_cast<TokenType>(v.types[id]);
    } else if (checked.is_in_characters && byte_of(text)) {
      types[id] = TokenType::byte;
    }
    const bool added = types[id] != TokenType::normal && types[id] != TokenType::byte;
    added_count += added && types[id] != TokenType::unused;
    const uint64_t longest = added ? limits::special_token_bytes : limits::token_bytes;
    if (text.size() > longest) bad_vocabulary("token {} has {} bytes: expected at most {}", id, text.size(), longest);
    if (!is_utf8(text)) bad_vocabulary("token {} ({}) is not UTF-8", id, printable(text));
    if (text.empty() || types[id] == TokenType::unused) continue;
    auto [first, is_new] = checked.ids.emplace(text, static_cast<int32_t>(id));
    if (!is_new) bad_vocabulary("tokens {} and {} are both {}", first->second, id, printable(text));
  }
  if (added_count > limits::added_tokens)
    bad_vocabulary("{} control and user-defined tokens exceed {}", added_count, limits::added_tokens);
}

// Either each byte has its token or none has: with some, text would be lost.
void check_bytes(const Vocabulary& v, CheckedVocabulary& checked) {
  if (!checked.is_in_characters) return;
  constexpr uint32_t none = UINT32_MAX;
  std::array<uint32_t, 256> ids;
  ids.fill(none);
  size_t count = 0;
  for (size_t id = 0; id < v.tokens.size(); id++) {
    if (checked.types[id] != TokenType::byte) continue;
    const auto byte = byte_of(v.tokens[id]);
    if (!byte) bad_vocabulary("token {} ({}) is a byte: expected <0x00> to <0xFF>", id, printable(v.tokens[id]));
    if (ids[*byte] != none) bad_vocabulary("tokens {} and {} are both the byte 0x{:02X}", ids[*byte], id, *byte);
    ids[*byte] = static_cast<uint32_t>(id);
    count++;
  }
  if (count != 0 && count != 256) bad_vocabulary("{} of the 256 bytes have a token: expected all or none", count);
  if (count) checked.byte_ids = ids;
}

void check_scores(const Vocabulary& v, const CheckedVocabulary& checked) {
  if (!checked.is_scored) return;
  if (v.scores.size() != v.tokens.size())
    bad_vocabulary("{} tokens but {} scores: expected one per token", v.tokens.size(), v.scores.size());
  for (size_t id = 0; id < v.scores.size(); id++)
    if (!std::isfinite(v.scores[id])) bad_vocabulary("token {} has the score {}: expected a number", id, v.scores[id]);
}

class MergeCheck {
 public:
  MergeCheck(const Vocabulary& v, CheckedVocabulary& checked) : v_(v), checked_(checked) {}

  void run() {
    if (v_.merges.size() + v_.merge_ids.size() > limits::merges)
      bad_vocabulary("{} merges exceed {}", v_.merges.size() + v_.merge_ids.size(), limits::merges);
    if (checked_.is_scored && !(v_.merges.empty() && v_.merge_ids.empty()))
      bad_vocabulary("it has both scores and merges: expected only scores of the kind llama");
    checked_.merges.reserve(v_.merges.size() + v_.merge_ids.size());
    for (const std::string& merge : v_.merges) {  // cut at the first space that is not its first byte
      const size_t at = merge.find(' ', 1);
      if (at == std::string::npos || at + 1 == merge.size())
        bad_vocabulary("merge {} ({}) is not two tokens with a space between", index(), printable(merge));
      add(id_of(std::string_view(merge).substr(0, at)), id_of(std::string_view(merge).substr(at + 1)));
    }
    for (auto [left, right] : v_.merge_ids) {
      for (int32_t id : {left, right})
        if (id < 0 || static_cast<size_t>(id) >= v_.tokens.size())
          bad_vocabulary("merge {} names token {}: expected 0 to {}", index(), id, v_.tokens.size() - 1);
      add(id_of(v_.tokens[static_cast<size_t>(left)]), id_of(v_.tokens[static_cast<size_t>(right)]));
    }
  }

 private:
  size_t index() const { return checked_.merges.size(); }

  void add(uint32_t left, uint32_t right) {
    joined_.assign(v_.tokens[left]).append(v_.tokens[right]);
    checked_.merges.push_back({left, right, id_of(joined_)});
  }

  uint32_t id_of(std::string_view text) const {
    auto found = checked_.ids.find(text);
    if (found == checked_.ids.end() || !is_merged(static_cast<size_t>(found->second)))
      bad_vocabulary("merge {}: {} is not a normal token", index(), printable(text));
    return static_cast<uint32_t>(found->second);
  }

  bool is_merged(size_t id) const {
    const TokenType type = checked_.types[id];
    return type == TokenType::normal || type == TokenType::byte ||
           (!checked_.flags.empty() && checked_.flags[id] & rl_merged);
  }

  const Vocabulary& v_;
  CheckedVocabulary& checked_;
  std::string joined_;
};

void check_added_rules(const Vocabulary& v, CheckedVocabulary& checked) {
  if (v.added_rules.empty()) return;
  checked.flags.assign(v.tokens.size(), 0);
  for (const AddedTokenRule& rule : v.added_rules) {
    if (rule.id < 0 || static_cast<size_t>(rule.id) >= v.tokens.size())
      bad_vocabulary("a rule is about token {}: expected 0 to {}", rule.id, v.tokens.size() - 1);
    checked.flags[static_cast<size_t>(rule.id)] = rule.lstrip * rl_lstrip | rule.rstrip * rl_rstrip |
                                                  rule.single_word * rl_single_word | rule.normalized * rl_normalized |
                                                  rule.is_merged * rl_merged;
  }
}

std::optional<int32_t> check_id(const char* name, std::optional<int64_t> id, size_t size) {
  if (!id) return {};
  if (*id < 0 || static_cast<uint64_t>(*id) >= size)
    bad_vocabulary("{}_token_id is {}: expected 0 to {}", name, *id, size - 1);
  return static_cast<int32_t>(*id);
}

}  // namespace

std::vector<std::string> known_pre_tokenizers() {
  std::vector<std::string> names;
  for (const PreTokenizer& known : pre_tokenizers) names.emplace_back(known.name);
  return names;
}

CheckedVocabulary check(const Vocabulary& v) {
  CheckedVocabulary checked{};
  check_rules(v, checked);
  check_tokens(v, checked);
  check_bytes(v, checked);
  check_scores(v, checked);
  check_added_rules(v, checked);
  MergeCheck(v, checked).run();
  checked.bos = check_id("bos", v.bos, v.tokens.size());
  checked.eos = check_id("eos", v.eos, v.tokens.size());
  auto eot = check_id("eot", v.eot, v.tokens.size());
  auto eom = check_id("eom", v.eom, v.tokens.size());
  checked.unk = check_id("unknown", v.unk, v.tokens.size());
  checked.pad = check_id("padding", v.pad, v.tokens.size());
  for (auto end : {checked.eos, eot, eom})
    if (end) checked.ends.push_back(*end);
  for (int64_t end : v.ends) checked.ends.push_back(*check_id("eos", end, v.tokens.size()));
  return checked;
}

std::string token_bytes(std::string_view text, TokenType type, bool characters) {
  const bool is_normal = type == TokenType::normal || type == TokenType::byte;
  if (!characters) return is_normal ? spelt_bytes(text) : std::string(text);
  if (auto byte = type == TokenType::byte ? byte_of(text) : std::nullopt) return {static_cast<char>(*byte)};
  std::string bytes;
  for (size_t at = 0; at < text.size();) {
    const bool is_space = text.substr(at, space.size()) == space;
    bytes += is_space ? ' ' : text[at];
    at += is_space ? space.size() : 1;
  }
  return bytes;
}

std::optional<uint8_t> byte_of(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return {};
  int byte = 0;
  for (char c : text.substr(3, 2)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                             : -1;
    if (digit < 0) return {};
    byte = byte * 16 + digit;
  }
  return static_cast<uint8_t>(byte);
}

}  // namespace ridgeline
