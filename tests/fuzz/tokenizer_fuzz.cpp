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

GrowingVocabulary vocabulary_of(Input& input, unsigned choice) {
  GrowingVocabulary g = all_bytes(choice);
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
  return g;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input{data, std::min<size_t>(size, 4096)};
  const unsigned choice = input.byte();
  const GrowingVocabulary g = vocabulary_of(input, choice);
  check_text(Tokenizer(g.v), g, choice, std::string(reinterpret_cast<const char*>(input.data), input.size));
  return 0;
}
