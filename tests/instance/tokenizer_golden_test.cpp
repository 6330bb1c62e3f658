// Token ids of real vocabularies, read from the real files, against Hugging Face's on the committed corpus.
#include <chrono>

#include "gemma3.h"
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

TEST(RealVocabulary, PiecesEqualHuggingFaceAndLoadQuickly) {
  NEEDS_GEMMA3();
  const GgufFile file = GgufFile::open(gemma3_path());
  const auto start = std::chrono::steady_clock::now();
  const Tokenizer tokenizer(read_vocabulary(file));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  RecordProperty("seconds", std::to_string(seconds));
  EXPECT_LT(seconds, 10);  // a tenth of a second or two; the bound leaves room for sanitizers and busy machines
  EXPECT_EQ(tokenizer.size(), 262'144);
  expect_golden_ids(tokenizer, read_json("gemma3_ids.json")["cases"]);
}

}  // namespace
}  // namespace ridgeline
