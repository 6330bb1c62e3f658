// Log likelihoods of choices beside those of a float64 NumPy pass (scripts/goldens/eval_scores.py).
#include "eval/multiple_choice.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace ridgeline {
namespace {

const std::string goldens = std::string(RIDGELINE_TEST_DATA) + "/goldens/";

class ChoicesOf : public testing::TestWithParam<const char*> {};

TEST_P(ChoicesOf, EqualTheGolden) {
  std::string name = GetParam();
  auto golden = nlohmann::json::parse(std::ifstream(goldens + "eval.json"))[name]["choices"];
  std::string lines;
  for (const auto& g : golden) lines += g["line"].dump() + "\n";
  auto questions = read_questions(lines, "golden");
  auto model = Instance::open(goldens + name + ".gguf", {.threads = 2, .weights = DType::f32, .kv = DType::f32});
  auto report = score_choices(*model, questions);
  ASSERT_EQ(report.questions.size(), golden.size());
  int64_t tokens = 0;
  for (size_t i = 0; i < golden.size(); ++i) {
    const auto& q = report.questions[i];
    std::vector<double> expected = golden[i]["log_likelihoods"];
    ASSERT_EQ(q.log_likelihoods.size(), expected.size());
    for (size_t k = 0; k < expected.size(); ++k) {
      EXPECT_NEAR(q.log_likelihoods[k], expected[k], 1e-3);
      tokens += static_cast<int64_t>((questions[i].context + " " + questions[i].choices[k]).size());
    }
    EXPECT_EQ(q.best(), golden[i]["best"]);
    EXPECT_EQ(q.best_normalised(), golden[i]["best_normalised"]);
  }
  EXPECT_LT(report.computed, tokens / 2);  // what choices share is computed once
}

INSTANTIATE_TEST_SUITE_P(Tiny, ChoicesOf, testing::Values("tiny_llama", "tiny_gpt2"));

TEST(MultipleChoice, ScoresAndErrors) {
  ChoiceReport r;
  r.questions = {{1, 0, {-4, -6}, {1, 3}}, {2, 1, {-4, -6}, {1, 3}}, {3, 0, {-5, -5}, {2, 2}}};
  EXPECT_EQ(r.questions[0].best(), 0);
  EXPECT_EQ(r.questions[0].best_normalised(), 1);
  EXPECT_EQ(r.questions[2].best(), 0);  // of equals the first
  EXPECT_DOUBLE_EQ(r.accuracy().mean, 2.0 / 3);
  EXPECT_DOUBLE_EQ(r.accuracy().error, std::sqrt(2.0 / 9 / 2));  // sqrt(p (1 - p) / (n - 1))
  EXPECT_DOUBLE_EQ(r.accuracy_normalised().mean, 2.0 / 3);
}

TEST(MultipleChoice, AnEmptyContextIsTheTokenThatBeginsATextAndSpacesBelongToTheChoice) {
  auto model = Instance::open(goldens + "tiny_llama.gguf", {.threads = 1});
  auto sums = [&](const std::string& context) {
    return score_choices(*model, {{1, context, {"then", "in"}, 0}}).questions[0].log_likelihoods;
  };
  EXPECT_EQ(sums("").size(), 2u);
  EXPECT_NE(sums("")[0], sums("the")[0]);
  EXPECT_LT(sums("the  ")[0], sums("the")[0]);  // three spaces are foretold, not one
}

}  // namespace
}  // namespace ridgeline
