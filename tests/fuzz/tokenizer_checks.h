// What both targets of the tokenizer share: vocabularies of all bytes, and what must hold of any text. Where each byte has its
// token, decoding gives the text back; decoding as a stream equals decoding at once; and merging by scores equals its definition.
#pragma once
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/utf8.h"
#include "text/tokenizer.h"

namespace ridgeline {

using Ids = std::vector<int32_t>;

inline void check(bool ok) {
  if (!ok) std::abort();  // which libFuzzer, and ctest, take as a finding
}

inline constexpr const char* space = "\xE2\x96\x81";

inline std::string byte_token(unsigned byte) {
  constexpr const char* digits = "0123456789ABCDEF";
  return std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">";
}

// The byte's letter in GPT-2's alphabet.
inline std::string letter(unsigned byte) {
  static const auto letters = [] {
    std::vector<unsigned> code_points(256);
    unsigned next = 0x100;
    for (unsigned b = 0; b < 256; b++) {
      const bool itself = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      code_points[b] = itself ? b : next++;
    }
    return code_points;
  }();
  const unsigned c = letters[byte];
  if (c < 0x80) return {static_cast<char>(c)};
  return {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
}

// A vocabulary that finds its tokens, to grow.
struct GrowingVocabulary {
  Vocabulary v;
  std::unordered_map<std::string, int32_t> ids;

  bool is_normal(size_t id) const { return v.types[id] == static_cast<int32_t>(TokenType::normal); }
  // Whether it is new.
  bool add(std::string text, TokenType type, float score) {
    if (text.empty() || !ids.emplace(text, static_cast<int32_t>(v.tokens.size())).second) return false;
    v.tokens.push_back(std::move(text));
    v.types.push_back(static_cast<int32_t>(type));
    v.scores.push_back(score);
    return true;
  }
  // Two tokens that are there already, side by side: a token more, and its merge.
  void add_pair(size_t left, size_t right, float score) {
    left %= v.tokens.size(), right %= v.tokens.size();
    if (!is_normal(left) || !is_normal(right)) return;
    if (add(v.tokens[left] + v.tokens[right], TokenType::normal, score))
      v.merge_ids.push_back({static_cast<int32_t>(left), static_cast<int32_t>(right)});
  }
  void add_special(std::string text, unsigned kind) {
    const auto id = static_cast<int32_t>(v.tokens.size());
    if (add(std::move(text), kind & 1 ? TokenType::control : TokenType::user_defined, 0) && kind & 2 && v.rules)
      v.added_rules.push_back({id, false, false, (kind & 4) != 0, (kind & 8) != 0, false});
  }
  // Back to its first tokens, with nothing said about them.
  void shrink(size_t size) {
    for (size_t id = size; id < v.tokens.size(); id++) ids.erase(v.tokens[id]);
    v.tokens.resize(size), v.types.resize(size), v.scores.resize(size);
    v.merge_ids.clear(), v.added_rules.clear();
  }
};

// The bits of `choice` are the rules: bit 0, pieces or byte-level, then the prefix or the pattern and its flags.
inline void set_rules(Vocabulary& v, unsigned choice) {
  constexpr const char* patterns[] = {"gpt-2", "llama-3", "qwen2", "tekken", "gpt-4o", "", "gpt-2", ""};
  if (choice & 1) {
    v.add_space_prefix = (choice & 2) != 0;
  } else {
    v.rules.emplace();
    v.rules->pattern = patterns[choice >> 1 & 7];
    v.rules->digits_apart = choice >> 4 & 1;
    v.rules->whole_words = choice >> 5 & 1;
  }
}

// All bytes, under the rules of `choice`.
inline GrowingVocabulary all_bytes(unsigned choice) {
  GrowingVocabulary g;
  if (choice & 1) {
    g.v.model = "llama";
    for (unsigned byte = 0; byte < 256; byte++) g.add(byte_token(byte), TokenType::byte, 0);
    for (const char* text : {space, "a", "b", "c", " ", "\n", "é", "中"}) g.add(text, TokenType::normal, -50);
  } else {
    g.v.model = "gpt2";
    for (unsigned byte = 0; byte < 256; byte++) g.add(letter(byte), TokenType::normal, 0);
  }
  set_rules(g.v, choice);
  return g;
}

// Look through all neighbours, merge the best, begin again.
inline Ids merged_slowly(const GrowingVocabulary& g, std::string_view text) {
  std::vector<std::string> symbols;
  for (; !text.empty(); text.remove_prefix(utf8_step(text).size))
    symbols.emplace_back(text.substr(0, utf8_step(text).size));
  const auto piece = [&](const std::string& s) {
    const auto found = g.ids.find(s);
    return found != g.ids.end() && g.is_normal(static_cast<size_t>(found->second)) ? found->second : -1;
  };
  for (;;) {
    size_t best = symbols.size();
    float score = 0;
    for (size_t i = 0; i + 1 < symbols.size(); i++) {
      const int32_t id = piece(symbols[i] + symbols[i + 1]);
      if (id < 0 || (best < symbols.size() && g.v.scores[static_cast<size_t>(id)] <= score)) continue;
      best = i, score = g.v.scores[static_cast<size_t>(id)];
    }
    if (best == symbols.size()) break;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
  Ids ids;
  for (const std::string& s : symbols) {
    if (const int32_t id = piece(s); id >= 0) {
      ids.push_back(id);
    } else {
      for (unsigned char c : s) ids.push_back(g.ids.at(byte_token(c)));
    }
  }
  return ids;
}

inline void check_stream(const Tokenizer& tokenizer, const Ids& ids) {
  StreamDecoder stream(tokenizer);
  std::string all;
  for (int32_t id : ids) {
    const std::string more = stream.push(id);
    check(is_utf8(more));
    all += more;
  }
  check((all += stream.flush()) == tokenizer.decode(ids));
}

// `tokenizer` is made of `g`, and `g` by `choice`.
inline void check_text(const Tokenizer& tokenizer, const GrowingVocabulary& g, unsigned choice,
                       const std::string& text) {
  const bool has_prefix = (choice & 3) == 3;
  std::optional<Ids> defined;  // what merging by scores is, the same for both
  for (SpecialTokens special : {SpecialTokens::as_text, SpecialTokens::parse}) {
    const Ids ids = tokenizer.encode(text, special);
    check_stream(tokenizer, ids);
    bool has_added = false;
    for (int32_t id : ids) has_added |= tokenizer.type(id) == TokenType::user_defined || tokenizer.is_special(id);
    const bool keeps = !(choice & 1) || (text.find(space) == std::string::npos && !(has_prefix && has_added));
    // A text that begins with a byte that is no character gets no space; one that is its own then stays too.
    const bool odd_start = has_prefix && !text.empty() && utf8_step(text).kind != Utf8Step::character;
    if (keeps && !odd_start) check(tokenizer.decode_bytes(ids) == text);
    if (has_added || !(choice & 1) || text.size() > 100 || !is_utf8(text) || text.empty()) continue;
    if (!defined) {
      std::string spelt = has_prefix ? space : "";
      for (char c : text) spelt += c == ' ' ? std::string(space) : std::string(1, c);
      defined = merged_slowly(g, spelt);
    }
    check(ids == *defined);
  }
}

}  // namespace ridgeline
