// What int8 activations and a bf16 cache cost in answers: perplexity as shipped within 1 % of fp32 on a fixed text.
#include <gtest/gtest.h>

#include "base/scratch_folder.h"
#include "eval/perplexity.h"
#include "instance/gemma3.h"
#include "instance/smollm2.h"

namespace ridgeline {
namespace {

struct Expected {
  size_t tokens;         // of the text, as llama.cpp and transformers cut it
  double top_agreement;  // at least
};

struct Perplexities {
  double shipped, fp32;
};
Perplexities expect_near_fp32(const std::string& path, const Expected& expected) {
  std::string text = content_of(std::string(RIDGELINE_TEST_DATA) + "/text/wonderland.txt");
  InstanceOptions options{.context = 512};
  auto shipped = Instance::open(path, options);
  options.weights = DType::f32, options.kv = DType::f32;
  auto fp32 = Instance::open(path, options);
  auto tokens = text_tokens(shipped->tokenizer(), text);
  EXPECT_EQ(tokens.size(), expected.tokens);
  auto windows = chunk_windows(2048, 512);
  auto [report, agreement] = compare_on_text(*shipped, *fp32, tokens, windows);
  double ours = report.model.perplexity(), theirs = agreement.reference.perplexity();
  printf("perplexity of 1,020 tokens: %.4f as shipped, %.4f in fp32\n", ours, theirs);
  EXPECT_LT(std::fabs(ours / theirs - 1), 0.01);
  EXPECT_GT(agreement.top_agreement().mean, expected.top_agreement);
  return {ours, theirs};
}

class RealModels : public testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "4,096 tokens in two arithmetics take minutes under a sanitizer";
#endif
  }
};

TEST_F(RealModels, SmolLM2AsShippedIsWithinOnePercentOfFp32) {
  NEEDS_SMOLLM2();
  double ours = expect_near_fp32(smollm2_path(), {.tokens = 12406, .top_agreement = 0.93}).shipped;
  // llama-perplexity (llama-cpp-python 0.3.36) on the same file and text, -c 512, after four chunks.
  EXPECT_LT(std::fabs(ours / 20.1899 - 1), 0.01);
}

TEST_F(RealModels, Gemma3AsShippedIsWithinOnePercentOfFp32) {
  NEEDS_GEMMA3();
  Perplexities ours = expect_near_fp32(gemma3_path(), {.tokens = 12481, .top_agreement = 0.95});
  // transformers 5.24 in fp32 on the same file, text and chunks (scripts/goldens/eval_perplexity.py).
  EXPECT_LT(std::fabs(ours.shipped / 17.711325 - 1), 0.01);
  EXPECT_LT(std::fabs(ours.fp32 / 17.711325 - 1), 1e-4);
}

}  // namespace
}  // namespace ridgeline
