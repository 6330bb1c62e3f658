// libFuzzer target for texts: the first byte chooses one of 64 tokenizers, each made once, the rest is the text. What it asks
// of a text is what tokenizer_fuzz asks, many times as often.
#include <map>
#include <memory>

#include "fuzz/tokenizer_checks.h"

namespace {

using namespace ridgeline;

struct Prepared {
  GrowingVocabulary vocabulary;
  Tokenizer tokenizer;
};

// Two hundred merges of what fuzzing's texts are full of, and some special tokens.
GrowingVocabulary grown(unsigned choice) {
  GrowingVocabulary g = all_bytes(choice);
  const size_t bytes = g.v.tokens.size();
  uint32_t random = choice + 1;
  auto next = [&] { return (random = random * 1664525 + 1013904223) >> 16; };
  for (int i = 0; i < 200; i++) {
    const size_t from = i % 2 ? 0 : bytes - 256, left = from + next(), right = from + next();
    g.add_pair(left, right, -static_cast<float>(next() % 16));
  }
  for (const char* text : {"<s>", "<|im_end|>", "<|", "\n\n", "the"}) g.add_special(text, next());
  if (choice & 1) g.v.merge_ids.clear();  // by scores
  return g;
}

const Prepared& prepared(unsigned choice) {
  static std::map<unsigned, std::unique_ptr<Prepared>> made;
  auto& it = made[choice];
  if (!it) {
    GrowingVocabulary g = grown(choice);
    Tokenizer tokenizer(g.v);
    it = std::make_unique<Prepared>(Prepared{std::move(g), std::move(tokenizer)});
  }
  return *it;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const unsigned choice = size ? data[0] % 64 : 0;
  const Prepared& p = prepared(choice);
  check_text(p.tokenizer, p.vocabulary, choice,
             std::string(reinterpret_cast<const char*>(data) + !!size, size - !!size));
  return 0;
}
