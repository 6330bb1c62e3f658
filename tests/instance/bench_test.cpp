#include "instance/bench.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace ridgeline {
namespace {

std::unique_ptr<Instance> tiny(const std::string& name, InstanceOptions o = {}) {
  o.threads = 2;
  return Instance::open(std::string(RIDGELINE_TEST_DATA) + "/goldens/" + name + ".gguf", o);
}

TEST(Bench, MeasuresAPromptAndGeneration) {
  auto model = tiny("tiny_llama_q8_0");
  for (BenchTest test : {BenchTest{.prompt = 40}, BenchTest{.prompt = 40, .depth = 20, .batch = 16},
                         BenchTest{.generate = 8}, BenchTest{.generate = 8, .depth = 20}}) {
    BenchResult r = bench(*model, test, 3);
    EXPECT_EQ(r.samples.size(), 3u) << test.name();
    EXPECT_GE(r.fraction.size(), 3u) << test.name();
    EXPECT_EQ(r.fraction.size(), r.work.size());
    EXPECT_EQ(r.fraction.size(), r.limit.size());
    EXPECT_EQ(r.kind, ComputeKind::int8_dot);
    for (size_t i = 0; i < r.fraction.size(); ++i) {
      EXPECT_DOUBLE_EQ(r.fraction[i], r.work[i] / r.limit[i]);
      EXPECT_GT(r.fraction[i], 0);
      EXPECT_TRUE(std::isfinite(r.fraction[i]));
    }
    // Both say how fast it was: a token of this model reads and computes the same, but for a few keys.
    double per_token = median(r.work) / median(r.samples);
    double expected = test.prompt ? per_token : static_cast<double>(bytes_read_per_token(*model, test.depth));
    EXPECT_NEAR(per_token / expected, 1, 0.5) << test.name();
  }
  EXPECT_GT(quick_read_limit(*model), 1e7);
}

TEST(Bench, WithoutACacheToo) {
  auto model = tiny("tiny_gpt2", {.disabled = {"insert_kv_cache"}});
  EXPECT_EQ(bench(*model, {.generate = 4, .depth = 8}, 2).samples.size(), 2u);
}

TEST(Bench, SaysWhatDoesNotFit) {
  auto model = tiny("tiny_llama", {.context = 64});
  try {
    bench(*model, {.prompt = 65}, 1);
    FAIL() << "65 tokens fitted a context of 64";
  } catch (const Error& e) { EXPECT_EQ(e.id(), "context_full"); }
}

// Counted by hand: every matrix once, one row of the embedding, the norms, and keys and values in bf16.
TEST(Bench, BytesReadPerToken) {
  auto model = tiny("tiny_llama");
  auto& c = *model->config().as<LlamaConfig>();
  int64_t weights = 0;
  const Program& p = model->program();
  for (const auto& v : p.values)
    if (v.origin == Program::Origin::weight) weights += v.type.bytes().constant();
  Value embedding = p.find("embed");
  ASSERT_TRUE(bool(embedding));
  bool tied = c.tied;
  int64_t table = p.type(embedding).bytes().constant(), row = table / p.type(embedding).rows().constant();
  int64_t per_key = int64_t{2} * c.layers * c.kv_heads * c.head_dim * 2;
  int64_t base = bytes_read_per_token(*model, 0);
  EXPECT_EQ(bytes_read_per_token(*model, 100) - base, 100 * per_key);
  EXPECT_EQ(base, weights + (tied ? row : row - table) + per_key);
}

TEST(Bench, InstructionsFollowTheWeights) {
  EXPECT_EQ(compute_kind_of(tiny("tiny_llama_q4_1")->program()), ComputeKind::int8_dot);
  EXPECT_EQ(compute_kind_of(tiny("tiny_llama_bf16")->program()), ComputeKind::bf16_dot);
  EXPECT_EQ(compute_kind_of(tiny("tiny_llama_f16")->program()), ComputeKind::fma);
}

TEST(Bench, Statistics) {
  EXPECT_EQ(mean({1, 2, 6}), 3);
  EXPECT_DOUBLE_EQ(deviation({1, 2, 6}), std::sqrt(7.0));
  EXPECT_EQ(deviation({4}), 0);
  EXPECT_EQ(median({5, 1, 3}), 3);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
  EXPECT_EQ((BenchTest{.prompt = 500}.name()), "pp500");
  EXPECT_EQ((BenchTest{.generate = 64, .depth = 1024}.name()), "tg64 @ d1024");
}

}  // namespace
}  // namespace ridgeline
