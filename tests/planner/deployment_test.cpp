#include "planner/deployment.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/refused.h"
#include "planner/answers.h"
#include "planner/speculation.h"
#include "planner/targets.h"

namespace ridgeline {
namespace {

Situation on(const char* model, const char* hardware, int tensor = 1, int pipeline = 1) {
  return {.model = model,
          .config = from_catalogue(model).config,
          .hardware = hardware_named(hardware),
          .tensor = tensor,
          .pipeline = pipeline};
}

TEST(Deployment, HoldsTheKeysAndValuesThatAreLeftRoomFor) {
  Deployment d(on("llama-3-8b", "h100"));
  const DeviceMemory& m = d.memory();
  EXPECT_EQ(d.parameters(), 8'030'261'248);
  EXPECT_EQ(m.weights, 16'060'522'496);  // two bytes each
  EXPECT_EQ(m.kv_per_token, 131'072);
  EXPECT_EQ(m.free, 55'939'477'504);
  EXPECT_EQ(m.kv_tokens(), 426'784);
  EXPECT_EQ(d.contiguous_sequences(8192), 52);
  EXPECT_EQ(d.paged_sequences(1024), 413);  // blocks of 16
}

TEST(Deployment, CountsKvOfEveryFamilyAsItsShapesSay) {
  EXPECT_EQ(Deployment(on("llama-3-70b", "mi300x")).memory().kv_per_token, 327'680);
  EXPECT_EQ(Deployment(on("llama-3.2-1b", "l4")).memory().kv_per_token, 32'768);
  EXPECT_EQ(Deployment(on("gpt2", "l4")).memory().kv_per_token, 36'864);
}

TEST(Deployment, DecodesInTheTimeThatReadingTakes) {
  Deployment d(on("llama-3-8b", "h100"));
  auto milliseconds = [&](int64_t n) { return 1e3 * d.seconds(Deployment::alike(n, 1, 1000), Times::ideal); };
  EXPECT_NEAR(milliseconds(1), 4.52, 0.005);
  StepTime t = d.step(Deployment::alike(1, 1, 1000));
  EXPECT_EQ(t.limit(), Limit::memory);
  EXPECT_NEAR(t.sum.intensity(), 1.03, 0.005);
  // Weights once, whatever the batch; keys and values of each sequence.
  auto weights = [&](int64_t n) { return d.step(Deployment::alike(n, 1, 1000)).sum.read[0]; };
  EXPECT_EQ(weights(1), 15'009'857'536);  // matrices, norms and the row of one token
  EXPECT_EQ(weights(64) - weights(1), 63 * 4096 * 2);
}

TEST(Deployment, SplitsAmongDevices) {
  Deployment whole(on("llama-3-8b", "h100")), four(on("llama-3-8b", "h100", 4)), stages(on("llama-3-8b", "h100", 1, 4));
  BatchShape step = Deployment::alike(1, 1, 1000);
  // Ring all-reduce, twice a layer: 2 (n - 1) / n of a row of 8,192 bytes.
  EXPECT_EQ(four.rank().options().link_bytes_per_token, 64 * 12'288);
  EXPECT_EQ(Deployment(on("llama-3-8b", "h100", 8)).rank().options().link_bytes_per_token, 64 * 14'336);
  EXPECT_NEAR(four.seconds(step, Times::ideal) / whole.seconds(step, Times::ideal), 0.25, 0.005);
  EXPECT_EQ(four.memory().kv_per_token, whole.memory().kv_per_token / 4);
  // Stages run one after another; each holds its layers and an end of the model.
  EXPECT_NEAR(stages.seconds(step, Times::ideal) / whole.seconds(step, Times::ideal), 1, 1e-4);
  EXPECT_EQ(stages.memory().weights, int64_t{8} * 436'224'000 + 1'050'673'152 + 8192);
  EXPECT_EQ(stages.memory().kv_per_token, whole.memory().kv_per_token / 4);
}

TEST(Deployment, RefusesImpossibleSplits) {
  auto expect_refused = [](Situation s, const char* id, const char* says) {
    EXPECT_TRUE(refused(ExitCode::usage, id, {says}, [&] { Deployment d(s); }));
  };
  expect_refused(on("llama-3-8b", "h100", 3), "impossible_split", "32 heads cannot be split among 3 devices");
  expect_refused(on("llama-3-8b", "h100", 0), "impossible_split", "expected 1 to 65,536");
  expect_refused(on("llama-3-8b", "h100", 1, 33), "impossible_split", "32 layers cannot be split among 33 stages");
  expect_refused(on("llama-3-8b", "epyc-9654", 2), "impossible_split", "no link to other devices");
  Situation s = on("llama-3-8b", "h100");
  s.memory_use = 0;
  expect_refused(s, "memory_use", "expected more than 0");
}

TEST(Answers, SayWhereWeightOnlyQuantizationEnds) {
  auto rows = weight_only(on("llama-3-8b", "h100"), 1000);
  auto of = [&](std::string_view name) {
    return *std::ranges::find_if(rows, [&](const WeightOnly& w) { return w.name == name; });
  };
  EXPECT_NEAR(of("bf16").break_even, 295.3, 0.05);
  EXPECT_NEAR(of("int8, groups of 128").break_even, 150.0, 0.05);
  EXPECT_NEAR(of("int4, groups of 128").break_even, 76.1, 0.05);
  EXPECT_NEAR(of("int4, groups of 128, zero points").break_even, 78.5, 0.1);
  EXPECT_NEAR(of("q4_0, groups of 32").break_even, 83.1, 0.05);
  EXPECT_NEAR(1e3 * of("int8, groups of 128").decode.ideal, 2.472, 0.005);
  EXPECT_NEAR(1e3 * of("int4, groups of 128").decode.ideal, 1.431, 0.005);
}

TEST(Answers, KnowTheCeilingOfBatching) {
  BatchingCeiling c = batching_ceiling(Deployment(on("llama-3-8b", "h100")), 999);
  EXPECT_NEAR(c.intensity, 118.5, 0.5);
  EXPECT_EQ(c.compute_bound_below, 393);
  // With as many KV heads as heads the ceiling is an eighth of the tokens it is with an eighth of them.
  BatchingCeiling wide = batching_ceiling(Deployment(on("llama-2-7b", "a100-80")), 1024);
  EXPECT_LT(wide.intensity, 30);
  EXPECT_LT(wide.compute_bound_below, 200);
}

TEST(Answers, CompareTheProgramWithItselfWrittenOtherwise) {
  Deployment d(on("llama-3-8b", "h100"));
  auto rows = variants(d, 1000, 8192);
  ASSERT_EQ(rows.size(), 5u);
  for (const Variant& v : rows) EXPECT_GE(v.time.ideal, v.plain.ideal) << v.name;
  // Naive attention writes and reads the scores of every head.
  EXPECT_GT(rows[0].bytes, 4 * rows[0].plain_bytes);
  // Without a cache the whole sequence is computed for each token.
  EXPECT_GT(rows[4].flops, 900 * rows[4].plain_flops);
}

TEST(Speculation, YieldsWhatLeviathanSays) {
  EXPECT_NEAR(expected_tokens(0.8, 3), 2.952, 5e-4);
  EXPECT_NEAR(expected_tokens(0.9, 8), 6.1258, 5e-5);
  EXPECT_NEAR(expected_tokens(0.5, 1), 1.5, 1e-12);
  EXPECT_EQ(expected_tokens(1, 4), 5);
  EXPECT_EQ(expected_tokens(0, 4), 1);
  Deployment target(on("llama-3-8b", "h100")), draft(on("llama-3.2-1b", "h100"));
  Speculation alone = best_speculation(target, draft, Times::ideal, 1, 1024, 0.8);
  Speculation many = best_speculation(target, draft, Times::ideal, 256, 1024, 0.8);
  EXPECT_GT(alone.speedup, 1.5);
  EXPECT_LT(many.speedup, alone.speedup);  // verifying is no longer free
  EXPECT_GT(many.verify_cost, 1.2);
  EXPECT_NEAR(alone.speedup, alone.tokens / (alone.depth * alone.draft_cost + alone.verify_cost), 1e-12);
}

TEST(Deployment, AnFp8CacheTakesHalfOfABf16One) {
  Situation s = on("llama-3-8b", "h100");
  Deployment bf16(s);
  s.kv_bits = 8;
  Deployment fp8(s);
  EXPECT_EQ(bf16.memory().kv_per_token, 131'072);
  EXPECT_EQ(fp8.memory().kv_per_token, 65'536);
  EXPECT_EQ(fp8.memory().weights, bf16.memory().weights);
  BatchShape batch = Deployment::alike(64, 1, 1000);
  OpCost narrow = fp8.step(batch).sum, wide = bf16.step(batch).sum;
  EXPECT_EQ(2 * narrow.bytes(Role::kv), wide.bytes(Role::kv));
  EXPECT_EQ(narrow.bytes(Role::weight), wide.bytes(Role::weight));
  EXPECT_EQ(narrow.bytes(Role::activation), wide.bytes(Role::activation));
  // All of what is saved is memory time: the step is limited by memory.
  EXPECT_NEAR(bf16.step(batch).ideal - fp8.step(batch).ideal, static_cast<double>(narrow.bytes(Role::kv)) / 3.35e12,
              1e-6);
}

TEST(Targets, AnswerWhatTheyWereAskedExactly) {
  Situation s = on("llama-3-8b", "h100");
  Deployment d(s);
  BatchForTpot b = batch_for_tpot(d, 10e-3, 1000, Times::ideal);
  EXPECT_LE(d.seconds(Deployment::alike(b.by_time, 1, 1000), Times::ideal), 10e-3);
  EXPECT_GT(d.seconds(Deployment::alike(b.by_time + 1, 1, 1000), Times::ideal), 10e-3);
  EXPECT_EQ(b.by_memory, 426);
  EXPECT_EQ(batch_for_tpot(d, 1e-3, 1000, Times::ideal).sequences(), 0);

  ForRate r = for_rate(s, 500, 1000, Times::ideal);
  s.hardware.bandwidth.value = r.bandwidth;
  EXPECT_NEAR(1 / Deployment(s).seconds(Deployment::alike(1, 1, 1000), Times::ideal), 500, 1);
  EXPECT_EQ(r.devices, 4);
  s = on("llama-3-8b", "h100");
  s.weight_bits = r.bits;
  EXPECT_NEAR(1 / Deployment(s).seconds(Deployment::alike(1, 1, 1000), Times::ideal), 500, 1);
}

TEST(Targets, FindWhatFits) {
  auto ways = ways_to_fit(on("llama-3-70b", "h100"), 1000);
  auto of = [&](std::string_view type) {
    return *std::ranges::find_if(ways, [&](const Fit& f) { return f.type == type; });
  };
  EXPECT_EQ(of("bf16").devices, 2);
  EXPECT_EQ(of("q4_K").devices, 1);
  EXPECT_EQ(of("f32").devices, 4);
}

}  // namespace
}  // namespace ridgeline
