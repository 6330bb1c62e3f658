#include "profiler/profile.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/refused.h"
#include "cost/explain.h"
#include "goldens.h"
#include "profiler/profile_report.h"
#include "profiler/profile_rows.h"
#include "profiler/trace.h"

namespace ridgeline {
namespace {

using Json = nlohmann::json;

std::unique_ptr<Instance> tiny(const std::string& name, InstanceOptions o = {}) {
  o.threads = 2;
  if (!o.context) o.context = 256;
  return Instance::open(golden_path(name), o);
}
Profile profiled(Instance& m, const char* batch, int traced_steps = 0) {
  return profile(m, {.batch = BatchShape::parse(batch), .repetitions = 2, .traced_steps = traced_steps});
}

TEST(Profile, TimesAddUpToTheStep) {
  for (const char* name : {"tiny_llama_q4_1", "tiny_gpt2", "tiny_gemma3"}) {
    auto model = tiny(name);
    for (const char* batch : {"1@40", "2x1@10,8,4@33"}) {
      Profile p = profile(*model, {.batch = BatchShape::parse(batch), .repetitions = 1});
      double ideal = 0;
      ASSERT_EQ(p.ops.size(), model->program().nodes.size());
      for (const OpProfile& op : p.ops) {
        EXPECT_GT(op.measured, 0);
        EXPECT_GE(op.barrier, 0);
        EXPECT_GE(op.waiting, 0);
        EXPECT_LE(op.waiting, op.measured);
        EXPECT_GT(op.ideal, 0);
        ideal += op.ideal;
      }
      EXPECT_GT(p.sampling, 0);
      EXPECT_GT(p.unexplained, 0);
      EXPECT_NEAR(p.in_ops() + p.in_barriers() + p.sampling + p.unexplained, p.step, 1e-9 * p.step) << batch;
      EXPECT_NEAR(ideal, p.ideal, 1e-9 * ideal);
      EXPECT_EQ(p.barriers, std::ssize(p.ops));
      EXPECT_GE(p.steps, p.used);
      EXPECT_GT(p.used, 0);
    }
  }
}

TEST(Profile, RowsAreThatStepAgain) {
  auto model = tiny("tiny_llama_q4_1");
  Profile p = profiled(*model, "2@30,1@7");
  for (const auto& rows : {rows_by_family(p), rows_by_kind(p)}) {
    OpCost cost;
    double measured = 0, ideal = 0;
    size_t ops = 0;
    for (const ProfileRow& r : rows)
      cost += r.cost, measured += r.time.measured, ideal += r.time.ideal, ops += r.nodes.size();
    EXPECT_EQ(cost, p.cost.sum);
    EXPECT_EQ(ops, p.ops.size());
    EXPECT_NEAR(measured, p.in_ops(), 1e-9 * measured);
    EXPECT_NEAR(ideal, p.ideal, 1e-9 * ideal);
  }
}

TEST(Profile, FlopsAndBytesAreThoseOfExplain) {
  for (const char* name : {"tiny_llama_q4_1", "tiny_llama_bf16", "tiny_gpt2", "tiny_gemma3", "tiny_gpt_neox"}) {
    auto model = tiny(name);
    ProfileOptions options{.batch = BatchShape::parse("3x2@5,16"), .repetitions = 1};
    Json ours = profile_json(profile(*model, options));
    Json theirs = explain_json(Stage{"fuse", model->program(), 0}, options.batch);
    EXPECT_EQ(ours["step"]["flops"], theirs["step"]["flops"]) << name;
    EXPECT_EQ(ours["step"]["bytes"], theirs["step"]["bytes"]) << name;
    ASSERT_EQ(ours["ops"].size(), theirs["ops"].size());
    for (size_t i = 0; i < ours["ops"].size(); ++i) {
      const Json &a = ours["ops"][i], &b = theirs["ops"][i];
      int64_t flops = 0, bytes = 0;
      for (const char* kind : {"matmul_flops", "attention_flops", "elementwise_flops"}) flops += b[kind].get<int64_t>();
      for (const auto& [role, n] : b["bytes"].items()) bytes += n.get<int64_t>();
      EXPECT_EQ(a["flops"], flops) << name << " " << b["text"];
      EXPECT_EQ(a["bytes"], bytes) << name << " " << b["text"];
      EXPECT_EQ(a["op"], b["op"]);
      EXPECT_EQ(a["layer"], b["layer"]);
    }
  }
}

TEST(Profile, WithoutACacheEveryTokenIsComputedAgain) {
  auto model = tiny("tiny_gpt2", {.disabled = {"insert_kv_cache"}});
  Profile p = profiled(*model, "1@20");
  EXPECT_EQ(p.cost.batch.text(), "21");
  EXPECT_NEAR(p.in_ops() + p.in_barriers() + p.sampling + p.unexplained, p.step, 1e-9 * p.step);
}

TEST(Profile, TheRoofIsThatOfTheFileWhereOneIsGiven) {
  auto model = tiny("tiny_llama_q4_1");
  Hardware h = hardware_named("epyc-9654");
  h.efficiency = Efficiency{};
  h.efficiency->op = {1e-6, "made up"};
  Profile p = profile(*model, {.batch = BatchShape::parse("1@8"), .repetitions = 1, .hardware = h});
  StepTime t = Roofline(model->program(), h).at(p.batch);
  EXPECT_NEAR(p.ideal, t.ideal, 1e-12 * t.ideal);
  ASSERT_TRUE(p.predicted);
  EXPECT_NEAR(*p.predicted, t.calibrated, 1e-12 * t.calibrated);
  EXPECT_FALSE(p.limits_in_run);
  EXPECT_NE(profile_text(p).find(" predicted, "), std::string::npos);
  EXPECT_TRUE(refused(ExitCode::usage, "other_machine", {"h100-sxm", "GPU"}, [&] {
    profile(*model, {.batch = p.batch, .repetitions = 1, .hardware = hardware_named("h100")});
  }));
}

TEST(Profile, SaysWhatDoesNotFit) {
  auto model = tiny("tiny_llama", {.context = 64});
  EXPECT_TRUE(refused(ExitCode::unavailable, "context_full", {"3x1@20", "96 tokens", "there are 64"},
                      [&] { profiled(*model, "3x1@20"); }));
  EXPECT_EQ(cache_tokens(BatchShape::parse("3x1@20,33")), 3 * 32 + 64);
  profiled(*model, "2x1@20");
  EXPECT_EQ(model->blocks().free_count(), model->blocks().size());
}

// One track of steps and one a worker; on each, events follow one another without overlapping.
TEST(Trace, IsATimelinePerWorker) {
  auto model = tiny("tiny_llama_q4_1");
  Profile p = profiled(*model, "1@20", 3);
  ASSERT_EQ(p.trace.size(), 3u);
  Json trace = Json::parse(trace_json(p));
  std::map<int, double> reached;
  std::map<int, int> ops;
  std::map<int, std::string> tracks;
  for (const Json& e : trace["traceEvents"]) {
    int track = e["tid"];
    if (e["ph"] == "M") {
      if (e["name"] == "thread_name") tracks[track] = e["args"]["name"];
      continue;
    }
    ASSERT_EQ(e["ph"], "X");
    double begin = e["ts"], duration = e["dur"];
    EXPECT_GE(duration, 0);
    EXPECT_GE(begin, reached[track] - 0.002) << e;  // each is rounded to a nanosecond
    reached[track] = begin + duration;
    if (e["cat"] != "op") continue;
    size_t node = static_cast<size_t>(ops[track]++) % p.ops.size();
    EXPECT_EQ(e["args"]["flops"], p.cost.ops[node].flops());
    EXPECT_EQ(e["args"]["bytes"], p.cost.ops[node].bytes());
    EXPECT_EQ(e["args"]["layer"], p.program.nodes[node].layer);
  }
  EXPECT_EQ(tracks, (std::map<int, std::string>{{0, "steps"}, {1, "worker 0"}, {2, "worker 1"}}));
  for (int worker : {1, 2}) EXPECT_EQ(ops[worker], 3 * std::ssize(p.ops));
  EXPECT_NE(trace_json(p).find("q, k, v = linears(h, W.q, W.k, W.v)"), std::string::npos);
}

}  // namespace
}  // namespace ridgeline
