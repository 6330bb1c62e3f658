// Right answers on a real Gemma 3: against Hugging Face transformers on the file's dequantized weights (scripts/goldens).
#include "gemma3.h"

#include "runtime/golden_model.h"

namespace ridgeline {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool affordable = false;  // half a million million multiply-adds without optimization
#else
constexpr bool affordable = true;
#endif

class Gemma3 : public testing::Test {
 protected:
  void SetUp() override {
    if (!affordable) GTEST_SKIP() << "takes ten minutes under a sanitizer";
    NEEDS_GEMMA3();
  }
  nlohmann::json golden_ = golden("gemma3_270m");
};

size_t greatest(std::span<const float> row) {
  return static_cast<size_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

// The bound is argued in tests/runtime/golden_test.cpp. The longer prompt is longer than the window.
TEST_F(Gemma3, Fp32LogitsEqualTransformers) {
  GoldenModel model(gemma3_path(), {.weights = DType::f32, .threads = 2});
  double bound = 8 * golden_["max_abs_diff"]["transformers_fp32_vs_numpy_fp64"].get<double>(), worst = 0;
  auto sampled = golden_["sampled_ids"].get<std::vector<size_t>>();
  for (const auto& prompt : golden_["prompts"]) {
    auto ids = prompt["ids"].get<std::vector<int32_t>>();
    auto logits = model.logits(ids);
    size_t vocab = logits.size() / ids.size();
    auto row = [&](size_t token) { return std::span(logits).subspan(token * vocab, vocab); };
    auto differ = [&](const nlohmann::json& want, float got) {
      worst = std::max(worst, std::abs(want.get<double>() - static_cast<double>(got)));
    };
    for (const auto& at : prompt["positions"]) {
      auto here = row(at["position"].get<size_t>());
      for (size_t i = 0; i < sampled.size(); ++i) differ(at["sampled_logits"][i], here[sampled[i]]);
      for (size_t i = 0; i < at["top_ids"].size(); ++i)
        differ(at["top_logits"][i], here[at["top_ids"][i].get<size_t>()]);
    }
    for (size_t t = 0; t < ids.size(); ++t)
      EXPECT_EQ(greatest(row(t)), prompt["argmax"][t].get<size_t>()) << "token " << t;
  }
  EXPECT_LE(worst, bound);
  RecordProperty("worst", std::to_string(worst));
}

// As shipped (grouped weights on int8 activations, bf16 KV) the most probable token is nearly always the same.
TEST_F(Gemma3, AsShippedAgreesOnTheMostProbableToken) {
  GoldenModel model(gemma3_path(), {.kv = DType::bf16, .threads = 2});
  int same = 0, all = 0;
  for (const auto& prompt : golden_["prompts"]) {
    auto ids = prompt["ids"].get<std::vector<int32_t>>();
    auto logits = model.logits(ids);
    size_t vocab = logits.size() / ids.size();
    for (size_t t = 0; t < ids.size(); ++t, ++all)
      same += greatest(std::span(logits).subspan(t * vocab, vocab)) == prompt["argmax"][t].get<size_t>();
  }
  EXPECT_GT(all, 500);
  EXPECT_GE(same, all * 94 / 100) << same << " of " << all;
}

}  // namespace
}  // namespace ridgeline
