// Token ids of the real vocabulary, read from the real file, against Hugging Face's on the committed corpus.
#include "instance/gguf_vocabulary.h"
#include "smollm2.h"
#include "text/golden_ids.h"

namespace ridgeline {
namespace {

TEST(RealVocabulary, TokenIdsEqualHuggingFace) {
  NEEDS_SMOLLM2();
  Tokenizer tokenizer(read_vocabulary(GgufFile::open(smollm2_path())));
  expect_golden_ids(tokenizer, read_json("smollm2_ids.json")["cases"]);
}

}  // namespace
}  // namespace ridgeline
