// What passes promise about answers: with a cache or without, fused or not, whole or in chunks, alone or in company, the logits
// are the same bits. All on the reference evaluation.
#include <gtest/gtest.h>

#include "ops/reference_run.h"
#include "passes/passes.h"
#include "passes/tiny_models.h"

namespace ridgeline::test {
namespace {

constexpr DType weight_types[] = {DType::f32, DType::f16, DType::bf16, DType::q8_0, DType::q4_0, DType::q4_1};

Program runnable(const ModelConfig& config, DType weights, std::set<std::string> disabled) {
  PipelineOptions options;
  options.disabled = std::move(disabled);
  return apply(build("tiny", weights, config), options);
}
std::vector<int32_t> prompt(int64_t n) {
  std::vector<int32_t> t(static_cast<size_t>(n));
  for (size_t i = 0; i < t.size(); ++i) t[i] = static_cast<int32_t>(i * i * 7 + i) % 50;
  return t;
}
float gentle(std::mt19937& r) { return 0.2f * ordinary(r); }

// All logits of a prompt of 40 tokens, fed in pieces of at most `chunk`, beside a stranger where there is company.
std::vector<float> logits(const Program& p, const ModelConfig& config, int64_t chunk, bool company) {
  ReferenceRun run(p, head_dim_of(config), gentle);
  auto tokens = prompt(40);
  std::vector<float> all;
  for (int64_t done = 0; done < 40;) {
    int64_t fresh = std::min(chunk, 40 - done);
    std::vector<TestSequence> batch = {{{tokens.begin() + done, tokens.begin() + done + fresh}, done, {9, 4}, fresh}};
    if (company) batch.insert(batch.begin(), TestSequence{prompt(3), p.is_cached() ? done : 0, {3, 11}, 1});
    run.step(batch);
    auto y = run.output("logits");
    int64_t vocab = vocabulary_of(config), rows = std::ssize(y) / vocab;
    all.insert(all.end(), y.begin() + (rows - fresh) * vocab, y.end());
    done += fresh;
  }
  return all;
}

TEST(SameBits, EveryWayToComputeLogits) {
  for (const auto& config : tiny_models())
    for (DType weights : weight_types) {
      SCOPED_TRACE(fmt::format("{} {}", gguf_architecture(config), name_of(weights)));
      auto expected =
          logits(runnable(config, weights, {"insert_kv_cache", "fuse", "select_logit_rows"}), config, 40, false);
      EXPECT_EQ(std::count_if(expected.begin(), expected.end(), [](float x) { return !std::isfinite(x); }), 0);
      EXPECT_NE(expected.front(), expected.back());
      EXPECT_TRUE(same_bits(logits(runnable(config, weights, {"insert_kv_cache"}), config, 40, true), expected))
          << "fused, in company";
      Program cached = runnable(config, weights, {}), plain = runnable(config, weights, {"fuse"});
      for (int64_t chunk : {1, 7, 40}) {
        EXPECT_TRUE(same_bits(logits(cached, config, chunk, chunk == 7), expected))
            << "cached, fused, chunks of " << chunk;
        EXPECT_TRUE(same_bits(logits(plain, config, chunk, chunk != 7), expected)) << "cached, chunks of " << chunk;
      }
    }
}

TEST(SameBits, NoSingleFusionChangesThem) {
  for (const auto& config : {ModelConfig(tiny_llama()), ModelConfig(tiny_gpt2())})
    for (DType weights : {DType::bf16, DType::q4_1}) {
      auto expected = logits(runnable(config, weights, {"fuse"}), config, 40, false);
      for (const auto& fusion : fusion_names()) {
        auto names = fusion_names();
        std::set<std::string> others(names.begin(), names.end());
        others.erase(fusion);
        EXPECT_TRUE(same_bits(logits(runnable(config, weights, others), config, 40, false), expected)) << fusion;
      }
    }
}

// In fp32 the textbook form and the program's own differ by rounding alone.
TEST(Textbook, IsTheSameModel) {
  for (const auto& config : tiny_models()) {
    PipelineOptions options;
    options.retype.kv = DType::f32;
    options.disabled = {"quantize_activations"};
    auto own = logits(apply(build("tiny", DType::f32, config), options), config, 7, false);
    options.textbook = true;
    auto textbook = logits(apply(build("tiny", DType::f32, config), options), config, 7, false);
    double norm = 0, difference = 0;
    for (size_t i = 0; i < own.size(); ++i) {
      double a = own[i], b = textbook[i];
      norm += a * a, difference += (a - b) * (a - b);
    }
    // Some thousand roundings of 2^-24 along the way, which add up like their root at worst a few times over.
    EXPECT_LT(std::sqrt(difference / norm), 64 * 0x1p-24);
    EXPECT_GT(difference, 0) << "expand changed nothing";
  }
}

}  // namespace
}  // namespace ridgeline::test
