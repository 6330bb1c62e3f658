// The scores of the tiny models beside those of a float64 NumPy pass (scripts/goldens/eval_scores.py).
#include "eval/perplexity.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace ridgeline {
namespace {

const std::string goldens = std::string(RIDGELINE_TEST_DATA) + "/goldens/";

const nlohmann::json& golden() {
  static const nlohmann::json j = nlohmann::json::parse(std::ifstream(goldens + "eval.json"));
  return j;
}
std::vector<int32_t> golden_ids(const std::string& name) { return golden()[name]["ids"]; }

std::unique_ptr<Instance> in_fp32(const std::string& path, std::set<std::string> disabled = {}, int threads = 2) {
  return Instance::open(path, {.threads = threads,
                               .context = golden()["context"],
                               .disabled = std::move(disabled),
                               .weights = DType::f32,
                               .kv = DType::f32});
}
std::vector<Window> golden_windows() { return sliding_windows(150, golden()["context"], golden()["stride"]); }

void expect_losses(const TextReport& report, const nlohmann::json& expected) {
  ASSERT_EQ(report.model.losses.size(), expected.size());
  double sum = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(report.model.losses[i], expected[i][1].get<double>(), 1e-4) << "position " << expected[i][0];
    sum += expected[i][1].get<double>();
  }
  EXPECT_NEAR(report.model.perplexity() / std::exp(sum / static_cast<double>(expected.size())), 1, 1e-5);
}

class PerplexityOf : public testing::TestWithParam<const char*> {};

TEST_P(PerplexityOf, EqualsTheGolden) {
  std::string name = GetParam();
  auto model = in_fp32(goldens + name + ".gguf");
  auto ids = golden_ids(name);
  auto sliding = score_text(*model, ids, golden_windows());
  expect_losses(sliding, golden()[name]["sliding"]);
  EXPECT_EQ(sliding.tokens, std::vector<int32_t>(ids.begin() + 1, ids.end()));
  EXPECT_EQ(sliding.windows, 11);
  expect_losses(score_text(*model, ids, chunk_windows(150, golden()["context"])), golden()[name]["chunks"]);
}

INSTANTIATE_TEST_SUITE_P(Tiny, PerplexityOf, testing::Values("tiny_llama", "tiny_gpt2"));

TEST(Perplexity, BosTakesTheFirstPlaceOfEachWindowWhereTheFileSaysSo) {
  std::ifstream in(goldens + "tiny_llama.gguf", std::ios::binary);
  std::string image{std::istreambuf_iterator<char>(in), {}};
  std::string key = "tokenizer.ggml.add_bos_token";
  size_t value = image.find(key) + key.size() + 4;  // behind the value's type
  ASSERT_EQ(image[value], 0);
  image[value] = 1;
  auto path = (std::filesystem::temp_directory_path() / ("ridgeline_bos_" + std::to_string(getpid()))).string();
  std::ofstream(path, std::ios::binary) << image;
  auto model = in_fp32(path);
  std::filesystem::remove(path);
  expect_losses(score_text(*model, golden_ids("tiny_llama"), golden_windows()),
                golden()["tiny_llama"]["sliding_with_bos"]);
  auto ids = text_tokens(model->tokenizer(), "the");
  ASSERT_EQ(ids.size(), 3u);  // bos, th, e
  EXPECT_EQ(ids[0], 0);
}

TEST(Perplexity, IsTheSameToTheBitHoweverItIsComputed) {
  auto ids = golden_ids("tiny_llama");
  auto first = score_text(*in_fp32(goldens + "tiny_llama.gguf", {}, 1), ids, golden_windows());
  for (const char* without : {"insert_kv_cache", "select_logit_rows", "fuse"}) {
    auto other = score_text(*in_fp32(goldens + "tiny_llama.gguf", {without}, 3), ids, golden_windows());
    EXPECT_EQ(first.model.losses, other.model.losses) << without;
  }
}

TEST(Perplexity, ErrorsAndBytes) {
  TextReport r;
  r.model.losses = {1, 2, 3};
  r.bytes = 12;
  EXPECT_DOUBLE_EQ(r.model.perplexity(), std::exp(2));
  EXPECT_DOUBLE_EQ(r.model.perplexity_error(), std::exp(2) * std::sqrt(1.0 / 3));
  EXPECT_DOUBLE_EQ(r.bits_per_byte(), 6 / std::log(2.0) / 12);
}

TEST(Agreement, EqualsTheGolden) {
  auto model = in_fp32(goldens + "tiny_llama_q4_0.gguf"), reference = in_fp32(goldens + "tiny_llama.gguf");
  auto [report, agreement] = compare_on_text(*model, *reference, golden_ids("tiny_llama"), golden_windows());
  std::vector<double> expected = golden()["tiny_llama_q4_0"]["divergences"];
  ASSERT_EQ(agreement.divergences.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(agreement.divergences[i], expected[i], 1e-4) << i;
  EXPECT_EQ(std::count(agreement.same_top.begin(), agreement.same_top.end(), 1),
            golden()["tiny_llama_q4_0"]["same_top"]);
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(agreement.reference.losses[i], golden()["tiny_llama"]["sliding"][i][1].get<double>(), 1e-4);
  EXPECT_NEAR(agreement.loss_difference(report.model).mean, report.model.loss().mean - agreement.reference.loss().mean,
              1e-12);
}

TEST(Agreement, AModelAgreesWithItself) {
  auto a = in_fp32(goldens + "tiny_gpt2.gguf"), b = in_fp32(goldens + "tiny_gpt2.gguf", {"insert_kv_cache"});
  auto [report, agreement] = compare_on_text(*a, *b, golden_ids("tiny_gpt2"), golden_windows());
  EXPECT_EQ(report.model.losses, agreement.reference.losses);
  EXPECT_EQ(*std::max_element(agreement.divergences.begin(), agreement.divergences.end()), 0);
  EXPECT_EQ(agreement.top_agreement().mean, 1);
}

}  // namespace
}  // namespace ridgeline
