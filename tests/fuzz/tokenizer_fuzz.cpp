// libFuzzer target for vocabularies and what they make of a text. The first byte chooses the rules, two more the sizes of a
// vocabulary that the next bytes spell; the rest is the text. Where each byte has its token, decoding gives the text back;
// decoding as a stream equals decoding at once; and one of the two orders of merging, by scores, equals its definition.
#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>

#include "base/error.h"
#include "text/tokenizer.h"
#include "base/utf8.h"

namespace {

using namespace ridgeline;
using Ids = std::vector<int32_t>;

void check(bool ok) {
  if (!ok) std::abort();  // which libFuzzer, and ctest, take as a finding
}

constexpr const char* space = "\xE2\x96\x81";

std::string byte_token(unsigned byte) {
  constexpr const char* digits = "0123456789ABCDEF";
  return std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">";
}

// The byte's letter in GPT-2's alphabet.
std::string letter(unsigned byte) {
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

struct Input {
  const uint8_t* data;
  size_t size;

  unsigned byte() { return size ? (size--, *data++) : 0; }
};

void add(Vocabulary& v, std::string text, TokenType type, float score) {
  if (text.empty() || std::find(v.tokens.begin(), v.tokens.end(), text) != v.tokens.end()) return;
  v.tokens.push_back(std::move(text));
  v.types.push_back(static_cast<int32_t>(type));
  v.scores.push_back(score);
}

// Two tokens that are there already, side by side: a token more, and its merge.
void add_pair(Vocabulary& v, Input& input) {
  const size_t left = (input.byte() | input.byte() << 8) % v.tokens.size(),
               right = (input.byte() | input.byte() << 8) % v.tokens.size();
  const auto is_normal = [&](size_t id) { return v.types[id] == static_cast<int32_t>(TokenType::normal); };
  if (!is_normal(left) || !is_normal(right)) return;
  const size_t before = v.tokens.size();
  add(v, v.tokens[left] + v.tokens[right], TokenType::normal, -static_cast<float>(input.byte() % 16));
  if (v.tokens.size() > before) v.merge_ids.push_back({static_cast<int32_t>(left), static_cast<int32_t>(right)});
}

Vocabulary vocabulary_of(Input& input, unsigned choice) {
  constexpr const char* patterns[] = {"gpt-2", "llama-3", "qwen2", "tekken", "gpt-4o", "", "gpt-2", ""};
  Vocabulary v;
  const bool pieces = choice & 1;
  v.model = pieces ? "llama" : "gpt2";
  if (pieces) {
    for (unsigned byte = 0; byte < 256; byte++) add(v, byte_token(byte), TokenType::byte, 0);
    for (const char* text : {space, "a", "b", "c", " ", "\n", "é", "中"}) add(v, text, TokenType::normal, -50);
    v.add_space_prefix = (choice & 2) != 0;
  } else {
    for (unsigned byte = 0; byte < 256; byte++) add(v, letter(byte), TokenType::normal, 0);
    v.rules.emplace();
    v.rules->pattern = patterns[choice >> 1 & 7];
    v.rules->digits_apart = choice >> 4 & 1;
    v.rules->whole_words = choice >> 5 & 1;
  }
  const unsigned pairs = input.byte() % 64, added = input.byte() % 8;
  for (unsigned i = 0; i < pairs; i++) add_pair(v, input);
  for (unsigned i = 0; i < added; i++) {
    const unsigned kind = input.byte(), length = 1 + input.byte() % 4;
    std::string text;
    for (unsigned n = 0; n < length; n++) text += static_cast<char>(input.byte() % 0x80);
    const size_t id = v.tokens.size();
    add(v, text, kind & 1 ? TokenType::control : TokenType::user_defined, 0);
    if (v.tokens.size() > id && kind & 2 && !pieces)
      v.added_rules.push_back({static_cast<int32_t>(id), false, false, (kind & 4) != 0, (kind & 8) != 0, false});
  }
  if (pieces) v.merge_ids.clear();
  return v;
}

// Look through all neighbours, merge the best, begin again.
Ids merged_slowly(const Vocabulary& v, std::string_view text) {
  std::vector<std::string> symbols;
  for (; !text.empty(); text.remove_prefix(utf8_step(text).size))
    symbols.emplace_back(text.substr(0, utf8_step(text).size));
  const auto find = [&](const std::string& s) {
    return static_cast<size_t>(std::find(v.tokens.begin(), v.tokens.end(), s) - v.tokens.begin());
  };
  const auto piece = [&](const std::string& s) {
    const size_t id = find(s);
    return id < v.tokens.size() && v.types[id] == static_cast<int32_t>(TokenType::normal) ? id : v.tokens.size();
  };
  for (;;) {
    size_t best = symbols.size();
    float score = 0;
    for (size_t i = 0; i + 1 < symbols.size(); i++) {
      const size_t id = piece(symbols[i] + symbols[i + 1]);
      if (id == v.tokens.size() || (best < symbols.size() && v.scores[id] <= score)) continue;
      best = i, score = v.scores[id];
    }
    if (best == symbols.size()) break;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
  Ids ids;
  for (const std::string& s : symbols) {
    if (const size_t id = piece(s); id < v.tokens.size()) {
      ids.push_back(static_cast<int32_t>(id));
    } else {
      for (unsigned char c : s) ids.push_back(static_cast<int32_t>(find(byte_token(c))));
    }
  }
  return ids;
}

void check_stream(const Tokenizer& tokenizer, const Ids& ids) {
  StreamDecoder stream(tokenizer);
  std::string all;
  for (int32_t id : ids) {
    all += stream.push(id);
    check(is_utf8(all));
  }
  check((all += stream.flush()) == tokenizer.decode(ids));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input{data, std::min<size_t>(size, 4096)};
  const unsigned choice = input.byte();
  const Vocabulary v = vocabulary_of(input, choice);
  const Tokenizer tokenizer(v);
  const std::string text(reinterpret_cast<const char*>(input.data), input.size);
  const bool has_prefix = (choice & 3) == 3;

  for (SpecialTokens special : {SpecialTokens::as_text, SpecialTokens::parse}) {
    const Ids ids = tokenizer.encode(text, special);
    check_stream(tokenizer, ids);
    bool has_added = false;
    for (int32_t id : ids) has_added |= tokenizer.type(id) == TokenType::user_defined || tokenizer.is_special(id);
    const bool keeps = !(choice & 1) || (text.find(space) == std::string::npos && !(has_prefix && has_added));
    // A text that begins with a byte that is no character gets no space; one that is its own then stays too.
    const bool odd_start = has_prefix && !text.empty() && utf8_step(text).kind != Utf8Step::character;
    if (keeps && !odd_start) check(tokenizer.decode_bytes(ids) == text);
    if (has_added || !(choice & 1) || text.size() > 200 || !is_utf8(text) || text.empty()) continue;
    std::string spelt = has_prefix ? space : "";
    for (char c : text) spelt += c == ' ' ? std::string(space) : std::string(1, c);
    check(ids == merged_slowly(v, spelt));
  }
  return 0;
}
