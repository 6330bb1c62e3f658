// Right answers on the real model: against Hugging Face transformers on its dequantized weights (scripts/goldens).
#include "smollm2.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "instance/generate.h"

namespace ridgeline {
namespace {

const nlohmann::json& golden() {
  static const nlohmann::json all = [] {
    std::ifstream in(std::string(RIDGELINE_TEST_DATA) + "/goldens/smollm2.json");
    return nlohmann::json::parse(in);
  }();
  return all;
}

// Logits of every token of a sequence, [tokens][vocab].
std::vector<float> all_logits(Instance& m, const std::vector<int32_t>& ids) {
  BlockTable table(m.blocks());
  for (int32_t b : table.grow(static_cast<int64_t>(ids.size())))
    if (m.kv()) m.kv()->clear(b);
  StepSequence s{ids, 0, table.blocks(), static_cast<int64_t>(ids.size())};
  Logits l = m.executor().step({&s, 1});
  return {l.data, l.data + l.rows * l.vocab};
}

class SmolLM2 : public testing::Test {
 protected:
  void open(const InstanceOptions& o) { model_ = Instance::open(smollm2_path(), o); }
  std::unique_ptr<Instance> model_;
};

// The fp32 run: weights dequantized, no quantized activations, fp32 KV. The bound is argued in tests/runtime/golden_test.cpp.
TEST_F(SmolLM2, Fp32LogitsEqualTransformers) {
  NEEDS_SMOLLM2();
  open({.weights = DType::f32, .kv = DType::f32});
  const auto& g = golden();
  double bound = 8 * g["max_abs_diff"]["transformers_fp32_vs_numpy_fp64"].get<double>(), worst = 0;
  auto sampled = g["sampled_ids"].get<std::vector<size_t>>();
  int64_t vocab = vocabulary_of(model_->config());
  for (const auto& prompt : g["prompts"]) {
    auto ids = prompt["ids"].get<std::vector<int32_t>>();
    auto logits = all_logits(*model_, ids);
    for (const auto& at : prompt["positions"]) {
      const float* row = logits.data() + at["position"].get<int64_t>() * vocab;
      for (size_t i = 0; i < sampled.size(); ++i)
        worst = std::max(worst, std::abs(at["sampled_logits"][i].get<double>() - static_cast<double>(row[sampled[i]])));
      for (size_t i = 0; i < at["top_ids"].size(); ++i)
        worst = std::max(worst, std::abs(at["top_logits"][i].get<double>() -
                                         static_cast<double>(row[at["top_ids"][i].get<size_t>()])));
    }
    for (size_t t = 0; t < ids.size(); ++t)
      EXPECT_EQ(greatest({logits.data() + static_cast<int64_t>(t) * vocab, static_cast<size_t>(vocab)}),
                prompt["argmax"][t].get<int32_t>())
          << "token " << t;
  }
  EXPECT_LE(worst, bound);
  RecordProperty("worst", std::to_string(worst));
}

TEST_F(SmolLM2, Fp32GreedyContinuationEqualsTransformers) {
  NEEDS_SMOLLM2();
  open({.weights = DType::f32, .kv = DType::f32});
  for (const auto& prompt : golden()["prompts"]) {
    Conversation conversation(*model_);
    GenerateOptions o{.sampler = {.temperature = 0}, .limit = 48, .ignore_eos = true};
    Generated got =
        generate(*model_, conversation, prompt["ids"].get<std::vector<int32_t>>(), o, [](std::string_view) {});
    EXPECT_EQ(got.tokens, prompt["greedy_ids"].get<std::vector<int32_t>>());
    EXPECT_EQ(got.finish, Finish::token_limit);
  }
}

// As shipped (Q4_1 weights on int8 activations, bf16 KV) the most probable token is nearly always the same.
TEST_F(SmolLM2, AsShippedAgreesOnTheMostProbableToken) {
  NEEDS_SMOLLM2();
  open({});
  int64_t vocab = vocabulary_of(model_->config());
  int same = 0, all = 0;
  for (const auto& prompt : golden()["prompts"]) {
    auto ids = prompt["ids"].get<std::vector<int32_t>>();
    auto logits = all_logits(*model_, ids);
    for (size_t t = 0; t < ids.size(); ++t, ++all)
      same += greatest({logits.data() + static_cast<int64_t>(t) * vocab, static_cast<size_t>(vocab)}) ==
              prompt["argmax"][t].get<int32_t>();
  }
  RecordProperty("same", same);
  EXPECT_GT(all, 200);
  EXPECT_GE(same, all * 94 / 100) << same << " of " << all;
}

TEST_F(SmolLM2, NoKernelIsMissing) {
  NEEDS_SMOLLM2();
  open({});
  if (model_->kernels().empty()) GTEST_SKIP() << "this processor has neither AVX2 nor AVX-512";
  for (const auto& s : model_->executor().served()) EXPECT_NE(s.set, "reference") << s.op << " " << s.types;
}

TEST_F(SmolLM2, PromptIdsEqualTransformers) {
  NEEDS_SMOLLM2();
  open({});
  for (const auto& prompt : golden()["prompts"])
    EXPECT_EQ(model_->tokenizer().encode(prompt["text"].get<std::string>(), SpecialTokens::parse),
              prompt["ids"].get<std::vector<int32_t>>());
}

// A conversation cut back and extended again, in any chunks, goes on with the same tokens.
TEST_F(SmolLM2, ChunksAndCutsChangeNothing) {
  NEEDS_SMOLLM2();
  open({});
  auto ids = golden()["prompts"][1]["ids"].get<std::vector<int32_t>>();
  int64_t vocab = vocabulary_of(model_->config());
  Conversation whole(*model_);
  Logits l = whole.extend(ids);
  std::vector<float> want(l.data, l.data + vocab);
  for (int64_t chunk : {1, 7, 33, 64}) {
    Conversation c(*model_);
    c.extend(ids, chunk);
    c.cut(static_cast<int64_t>(ids.size()) / 2);
    Logits again = c.extend(std::span(ids).subspan(ids.size() / 2), chunk);
    EXPECT_TRUE(std::equal(want.begin(), want.end(), again.data)) << "chunks of " << chunk;
  }
}

TEST_F(SmolLM2, ATooLongPromptIsRefusedBeforeAnythingIsComputed) {
  NEEDS_SMOLLM2();
  open({.context = 64});
  Conversation c(*model_);
  std::vector<int32_t> ids(65, 5);
  try {
    c.extend(ids);
    FAIL();
  } catch (const Error& e) { EXPECT_EQ(e.id(), "context_full"); }
  EXPECT_TRUE(c.tokens().empty());
  EXPECT_EQ(model_->blocks().free_count(), model_->blocks().size());
}

}  // namespace
}  // namespace ridgeline
