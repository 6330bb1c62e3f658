#include "formats/synthetic_vocabulary.h"

#include "base/error.h"

namespace ridgeline {
namespace {

constexpr std::string_view chat_ml =
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

// A byte as byte-level vocabularies spell it: itself where it prints, else one of the code points from U+0100 on, in
// order.
std::vector<std::string> byte_alphabet() {
  auto utf8 = [](int c) {
    if (c < 0x80) return std::string(1, static_cast<char>(c));
    return std::string{static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
  };
  std::vector<std::string> alphabet;
  int next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    bool prints = (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
    alphabet.push_back(utf8(prints ? byte : next++));
  }
  return alphabet;
}

// Adds tokens made of two earlier ones, until there are enough.
struct Words {
  std::vector<std::string> tokens, merges;
  size_t size;

  bool full() const { return tokens.size() == size; }
  void join(const std::string& left, const std::string& right) {
    if (full()) return;
    tokens.push_back(left + right);
    merges.push_back(left + ' ' + right);
  }
  // Every left with every right.
  std::vector<std::string> join_all(const std::vector<std::string>& left, const std::vector<std::string>& right) {
    size_t first = tokens.size();
    for (size_t i = 0; i < left.size() && !full(); ++i)
      for (const auto& r : right) join(left[i], r);
    return {tokens.begin() + static_cast<std::ptrdiff_t>(first), tokens.end()};
  }
};

std::vector<std::string> letters(std::string_view text) {
  std::vector<std::string> out;
  for (char c : text) out.emplace_back(1, c);
  return out;
}

}  // namespace

void set_synthetic_vocabulary(GgufHeader& header, int64_t size) {
  Words words{{"<|endoftext|>", "<|im_start|>", "<|im_end|>"}, {}, static_cast<size_t>(size)};
  constexpr uint32_t end_of_text = 0, end_of_turn = 2;
  std::vector<int32_t> types = {3, 3, 3};  // control
  auto alphabet = byte_alphabet();
  words.tokens.insert(words.tokens.end(), alphabet.begin(), alphabet.end());
  auto least = static_cast<int64_t>(words.tokens.size());
  if (size < least)
    fail(ExitCode::usage, "synth_shape", "a vocabulary of {} tokens has no room for the {} of a byte-level one", size,
         least);

  const std::vector<std::string> space = {alphabet[' ']};
  auto syllables = words.join_all(letters("bcdfghjklmnpqrstvwxyz"), letters("aeiou"));
  auto pairs = words.join_all(syllables, syllables);
  words.join_all(space, syllables);  // after the pairs, so that " baki" becomes " " + "baki" and not " ba" + "ki"
  words.join_all(space, pairs);
  words.join_all(pairs, syllables);
  if (!words.full())
    fail(ExitCode::usage, "synth_shape", "a vocabulary of {} tokens is too large; expected at most {}", size,
         words.tokens.size());
  types.resize(words.tokens.size(), 1);  // normal

  header.set("tokenizer.ggml.model", "gpt2");
  header.set("tokenizer.ggml.pre", "gpt-2");
  header.set_array("tokenizer.ggml.tokens", words.tokens);
  header.set_array("tokenizer.ggml.token_type", types);
  header.set_array("tokenizer.ggml.merges", words.merges);
  header.set("tokenizer.ggml.bos_token_id", end_of_text);
  header.set("tokenizer.ggml.eos_token_id", end_of_text);
  header.set("tokenizer.ggml.eot_token_id", end_of_turn);
  header.set("tokenizer.ggml.add_bos_token", false);
  header.set("tokenizer.chat_template", chat_ml);
}

}  // namespace ridgeline
