// libFuzzer target for vocabularies and what they make of a text. The first byte chooses the rules, two more the sizes of a
// vocabulary that the next bytes spell; the rest is the text.
#include <algorithm>

#include "fuzz/tokenizer_checks.h"

namespace {

using namespace ridgeline;

struct Input {
  const uint8_t* data;
  size_t size;

  unsigned byte() { return size ? (size--, *data++) : 0; }
  unsigned two_bytes() {
    const unsigned low = byte();
    return low | byte() << 8;
  }
};

// One of two that are kept: to make all bytes' tokens anew, or to copy them, takes a sixth of the time.
GrowingVocabulary& base(unsigned choice) {
  static GrowingVocabulary kept[] = {all_bytes(0), all_bytes(1)};
  GrowingVocabulary& g = kept[choice & 1];
  set_rules(g.v, choice);
  return g;
}

void grow(GrowingVocabulary& g, Input& input, unsigned choice) {
  const unsigned pairs = input.byte() % 64, added = input.byte() % 8;
  for (unsigned i = 0; i < pairs; i++) {
    const unsigned left = input.two_bytes(), right = input.two_bytes();
    g.add_pair(left, right, -static_cast<float>(input.byte() % 16));
  }
  for (unsigned i = 0; i < added; i++) {
    const unsigned kind = input.byte(), length = 1 + input.byte() % 4;
    std::string text;
    for (unsigned n = 0; n < length; n++) text += static_cast<char>(input.byte() % 0x80);
    g.add_special(std::move(text), kind);
  }
  if (choice & 1) g.v.merge_ids.clear();  // by scores
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input{data, std::min<size_t>(size, 4096)};
  const unsigned choice = input.byte();
  GrowingVocabulary& g = base(choice);
  const size_t size_before = g.v.tokens.size();
  grow(g, input, choice);
  check_text(Tokenizer(g.v), g, choice, std::string(reinterpret_cast<const char*>(input.data), input.size));
  g.shrink(size_before);  // here and not next time, or libFuzzer looks for a leak
  return 0;
}
