#include "planner/serving.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/refused.h"
#include "planner/serving_samples.h"

namespace ridgeline {
namespace {

std::vector<ServingSample> samples(const std::string& of) {
  std::ifstream in(RIDGELINE_TEST_DATA "/planner/serving_" + of + ".csv", std::ios::binary);
  return parse_serving_samples(std::string((std::istreambuf_iterator<char>(in)), {}));
}

using Deployments = std::map<std::string, std::shared_ptr<Deployment>>;
double tpot(Deployments& deployments, const ServingSample& s, const Hardware& h, Times times) {
  auto& d = deployments[s.engine + s.model + std::to_string(s.fp8) + std::to_string(s.tensor)];
  if (!d) d = std::make_shared<Deployment>(situation_of(s, h));
  return serving_point(*d, s.load, times).tpot;
}

// Runs of engines on a machine; their constants in the hardware file were fitted on the other rows (bench_predict_serving).
struct Runs {
  const char* of;
  size_t rows, held_out, engines;
};
class PublishedRuns : public testing::TestWithParam<Runs> {};
INSTANTIATE_TEST_SUITE_P(All, PublishedRuns,
                         testing::Values(Runs{"h100", 579, 254, 3}, Runs{"h200", 199, 69, 4}, Runs{"b200", 132, 51, 2}),
                         [](const auto& p) { return std::string(p.param.of); });

TEST_P(PublishedRuns, ArePredictedWhereNothingWasFittedOnThem) {
  const Hardware& h = hardware_named(GetParam().of);
  Deployments deployments;
  std::map<std::string, std::vector<double>> errors;
  auto all = samples(GetParam().of);
  EXPECT_EQ(all.size(), GetParam().rows);
  for (const ServingSample& s : all) {
    if (!is_held_out(s)) continue;
    double error = tpot(deployments, s, h, Times::calibrated) / s.tpot - 1;
    errors[s.engine].push_back(error), errors["all"].push_back(error);
  }
  ASSERT_EQ(errors["all"].size(), GetParam().held_out);
  EXPECT_EQ(errors.size(), GetParam().engines + 1);
  for (auto& [engine, of] : errors) {
    ErrorSummary e = summarize(of);
    EXPECT_LE(e.mean_absolute, 0.10) << engine;
    EXPECT_LE(std::abs(e.bias), 0.07) << engine;
  }
}

// Without what is known of the engines the roofline is far off: the constants are what the test above is about.
TEST(Serving, TheMachinesLimitsAloneAreFarOff) {
  Deployments deployments;
  double ideal = 0, fitted = 0;
  for (const ServingSample& s : samples("h100")) {
    if (!is_held_out(s) || s.engine != "sglang") continue;
    const Hardware& h100 = hardware_named("h100");
    ideal += std::abs(tpot(deployments, s, h100, Times::ideal) / s.tpot - 1);
    fitted += std::abs(tpot(deployments, s, h100, Times::calibrated) / s.tpot - 1);
  }
  EXPECT_GT(ideal, 2 * fitted);
}

TEST(Serving, IsWhereRequestsInDecodeAndTheirPromptsBalance) {
  // A step of 1 ms whatever decodes, prompts of 9 ms: one request alone spends 9 ms of 9 + 100 in its prompt.
  ServingLoad one{1, 10, 100};
  auto step = [](int64_t, bool prompt) { return prompt ? 9e-3 : 1e-3; };
  ServingPoint p = serving_point(one, step, 0);
  EXPECT_NEAR(p.decoding, 100.0 / 109, 1e-6);
  EXPECT_NEAR(p.tpot, 1e-3, 1e-12);
  EXPECT_NEAR(p.tokens_per_second, 1000 * 100.0 / 109, 1e-2);
  // Ten of them, when each prompt stops all others: by hand, tpot = 1 + D / 100 * 8 and D = 1000 tpot / (9 + 100 tpot).
  ServingPoint ten = serving_point({10, 10, 100}, step, 1);
  EXPECT_NEAR(ten.tpot, 1e-3 * (1 + ten.decoding / 100 * 8), 1e-9);
  EXPECT_NEAR(ten.decoding, 1000 * ten.tpot / (9e-3 + 100 * ten.tpot), 1e-4);
}

TEST(ServingSamples, RefusesTablesThatAreNone) {
  const std::string head = "backend,model_path,precision,isl,osl,batch_size,tp_size,silicon_tpot_ms\n";
  EXPECT_EQ(parse_serving_samples(head + "vllm,a/Qwen3-32B,fp8,10,20,4,2,7.5\r\n").at(0).tpot, 7.5e-3);
  EXPECT_TRUE(parse_serving_samples(head + "vllm,a/no-such-model,,10,20,4,2,7.5").empty());
  ServingSample s = parse_serving_samples(head + "vllm,nvidia/Llama-3.1-8B-Instruct-FP8,fp8,10,20,4,2,7.5").at(0);
  EXPECT_EQ(s.model, "llama-3.1-8b");
  EXPECT_TRUE(s.fp8 && !s.fp8_kv);
  EXPECT_TRUE(parse_serving_samples(head + "vllm,a/Llama-3.1-70B,fp8,10,20,4,2,7.5").at(0).fp8_kv);
  EXPECT_FALSE(parse_serving_samples(head + "vllm,a/Llama-3.1-70B,,10,20,4,2,7.5").at(0).fp8_kv);
  auto expect_refused = [&](const std::string& text, const char* says) {
    EXPECT_TRUE(refused(ExitCode::bad_data, "serving_samples", {says}, [&] { parse_serving_samples(text); })) << text;
  };
  expect_refused("backend,isl\n", "lacks the column model_path");
  expect_refused(head + "vllm,a/Qwen3-32B,,10", "line 2 has 4 cells, expected 8");
  expect_refused(head + "vllm,a/Qwen3-32B,,10,20,4,2,nan", "'nan' is not a number above 0");
  expect_refused(head + "vllm,a/Qwen3-32B,,-10,20,4,2,1", "'-10' is not a number above 0");
  expect_refused(head + "vllm,a/Qwen3-32B,int3,10,20,4,2,1", "precision 'int3'");
}

}  // namespace
}  // namespace ridgeline
