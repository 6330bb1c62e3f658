// What an observer of the executor sees, and that it changes nothing.
#include "runtime/op_timer.h"

#include <cstring>

#include "base/refused.h"
#include "golden_model.h"

namespace ridgeline {
namespace {

const std::vector<int32_t> ids = {1, 5, 9, 2, 7, 7, 3, 30, 11, 4, 8};

TEST(OpTimer, ChangesNoBit) {
  for (const auto& name : tiny_goldens()) {
    GoldenModel plain(golden_path(name), {.threads = 2}), timed(golden_path(name), {.threads = 2});
    OpTimer timer(timed.executor().program().nodes.size(), 2);
    timed.executor().time_ops(&timer);
    auto a = plain.logits(ids), b = timed.logits(ids);
    ASSERT_EQ(a.size(), b.size());
    EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)), 0) << name;
    EXPECT_GT(timer.tracks()[0][0].passed, 0) << name;
  }
}

TEST(OpTimer, StampsFollowOneAnotherOnEveryWorker) {
  constexpr int threads = 3;
  GoldenModel model(golden_path("tiny_llama_q4_1"), {.threads = threads});
  size_t ops = model.executor().program().nodes.size();
  OpTimer timer(ops, threads);
  model.executor().time_ops(&timer);
  int64_t start = TickClock::now();
  model.logits(ids);
  int64_t end = TickClock::now();
  ASSERT_EQ(timer.tracks().size(), size_t{threads});
  for (const auto& track : timer.tracks()) {
    int64_t before = track.began();
    EXPECT_GE(before, start);
    for (size_t op = 0; op < ops; ++op) {
      EXPECT_LE(before, track[op].ended) << op;
      EXPECT_LE(track[op].ended, track[op].passed) << op;
      before = track[op].passed;
    }
    EXPECT_LE(before, end);
  }
  // Nobody passes a barrier before everybody has come to it.
  for (size_t op = 0; op < ops; ++op)
    for (const auto& a : timer.tracks())
      for (const auto& b : timer.tracks()) EXPECT_LE(a[op].ended, b[op].passed) << op;
}

TEST(OpTimer, AnOpThatDoesNotRunHasNoStamps) {
  GoldenModel model(golden_path("tiny_llama"), {});
  OpTimer timer(model.executor().program().nodes.size(), 1);
  model.executor().time_ops(&timer);
  std::vector<int32_t> blocks = {0};
  auto run = [&](int64_t rows) {
    StepSequence s{ids, 0, blocks, rows};
    model.executor().step({&s, 1});
    return timer.tracks()[0][timer.ops() - 1].passed;  // the logits
  };
  EXPECT_GT(run(1), 0);
  EXPECT_EQ(run(0), 0);
  EXPECT_GT(timer.tracks()[0][0].passed, 0);
  int64_t last = timer.tracks()[0][0].passed;
  model.executor().time_ops(nullptr);
  run(1);
  EXPECT_EQ(timer.tracks()[0][0].passed, last) << "written to by an executor that has let go of it";
}

TEST(OpTimer, OfAnotherProgramIsRefused) {
  GoldenModel model(golden_path("tiny_llama"), {});
  size_t ops = model.executor().program().nodes.size();
  OpTimer fewer(ops - 1, 1), more_workers(ops, 2);
  for (OpTimer* timer : {&fewer, &more_workers})
    EXPECT_TRUE(refused(ExitCode::internal, "internal", {"another"}, [&] { model.executor().time_ops(timer); }));
}

TEST(TickClock, TicksAreSeconds) {
  TickClock clock;
  int64_t from = TickClock::now();
  auto start = std::chrono::steady_clock::now();
  std::chrono::duration<double> waited{};
  while (waited.count() < 0.02) waited = std::chrono::steady_clock::now() - start;
  int64_t to = TickClock::now();
  EXPECT_NEAR(static_cast<double>(to - from) * clock.seconds_per_tick() / waited.count(), 1, 0.05);
}

}  // namespace
}  // namespace ridgeline
