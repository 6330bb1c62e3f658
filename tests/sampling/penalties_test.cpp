// Biases, penalties and log probabilities beside tests/data/goldens/sampling.json, which NumPy computed.
#include "sampling/penalties.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace ridgeline {
namespace {

using Golden = nlohmann::json;

SamplerOptions options_of(const Golden& j) {
  SamplerOptions o;
  o.repeat_penalty = j.value("repeat_penalty", 1.0f);
  o.frequency_penalty = j.value("frequency_penalty", 0.0f);
  o.presence_penalty = j.value("presence_penalty", 0.0f);
  o.repeat_last_n = j.value("repeat_last_n", 64);
  for (const auto& b : j.value("logit_bias", Golden::array()))
    o.logit_bias.push_back({b[0].get<int32_t>(), b[1].get<float>()});
  return o;
}

Golden cases() {
  std::ifstream in(RIDGELINE_TEST_DATA "/goldens/sampling.json");
  return Golden::parse(in).at("cases");
}

TEST(Penalties, EqualNumPys) {
  Golden all = cases();
  ASSERT_EQ(all.size(), 9u);
  for (const auto& c : all) {
    auto logits = c["logits"].get<std::vector<float>>();
    auto before = c["before"].get<std::vector<int32_t>>();
    auto expected = c["adjusted"].get<std::vector<double>>();
    std::vector<float> found = logits;
    int32_t last = -1;
    for (const auto& a : adjusted_logits(logits, options_of(c["options"]), before)) {
      EXPECT_GT(a.token, last) << "in order, each once";
      last = a.token;
      found[static_cast<size_t>(a.token)] = a.logit;
    }
    for (size_t i = 0; i < found.size(); ++i)
      EXPECT_NEAR(found[i], expected[i], 1e-5 * std::max(1.0, std::abs(expected[i]))) << c["options"] << " " << i;
    bool changes = c["options"].value("repeat_last_n", 64) != 0;
    EXPECT_EQ(last >= 0, changes) << "the case tests something";
  }
}

TEST(Penalties, TheTokenIsThatOfTheAdjustedRow) {
  for (const auto& c : cases()) {
    auto logits = c["logits"].get<std::vector<float>>();
    auto before = c["before"].get<std::vector<int32_t>>();
    SamplerOptions o = options_of(c["options"]);
    std::vector<float> row = logits;
    for (const auto& a : adjusted_logits(logits, o, before)) row[static_cast<size_t>(a.token)] = a.logit;
    for (float temperature : {0.0f, 2.0f})
      for (int top_k : {0, 5}) {
        o.temperature = temperature, o.top_k = top_k;
        SamplerOptions plain = o;
        plain.repeat_penalty = 1, plain.frequency_penalty = plain.presence_penalty = 0, plain.logit_bias.clear();
        for (int position = 0; position < 50; ++position)
          EXPECT_EQ(sample(logits, o, position, before), sample(row, plain, position, {})) << c["options"];
      }
  }
}

TEST(Penalties, DefaultsAdjustNothing) {
  std::vector<float> logits = {1, 2, 3};
  std::vector<int32_t> before = {2, 2, 1};
  EXPECT_TRUE(adjusted_logits(logits, {}, before).empty());
  EXPECT_TRUE(adjusted_logits(logits, {.repeat_last_n = 0, .repeat_penalty = 2}, before).empty());
  EXPECT_TRUE(adjusted_logits(logits, {.repeat_penalty = 2}, {}).empty()) << "nothing was seen";
}

TEST(Penalties, OnlyTheTokensBeforeDecide) {
  std::vector<float> logits = {3, 2.9f, 0};
  SamplerOptions o{.repeat_last_n = 2, .presence_penalty = 1, .temperature = 0};
  EXPECT_EQ(sample(logits, o, 5, std::vector<int32_t>{0, 2, 2}), 0) << "token 0 is further away than repeat_last_n";
  EXPECT_EQ(sample(logits, o, 5, std::vector<int32_t>{2, 2, 0}), 1);
  EXPECT_EQ(sample(logits, o, 99, std::vector<int32_t>{1, 2, 0, 2}), 1) << "the position does not matter to a penalty";
}

TEST(Penalties, IdsBeyondTheLogitsAndInfinitiesDoNoHarm) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> logits = {-infinity, 0, 1};
  std::vector<int32_t> before = {0, 2, 17, 5000};
  auto list = adjusted_logits(logits, {.repeat_penalty = 2, .presence_penalty = 1}, before);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].logit, -infinity);
  EXPECT_EQ(list[1].logit, 1 / 2.0f - 1);
}

TEST(LogitBias, ForbidsAndPrefers) {
  std::vector<float> logits = {5, 4, 3, -2};
  auto with = [](std::vector<LogitBias> list) {
    return SamplerOptions{.logit_bias = std::move(list), .temperature = 0};
  };
  constexpr float never = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(sample(logits, with({{3, 7.5f}}), 0), 3);
  EXPECT_EQ(sample(logits, with({{0, never}}), 0), 1);
  EXPECT_EQ(sample(logits, with({{0, never}, {0, 100}}), 0), 1) << "never stays never";
  SamplerOptions hot = with({{0, never}, {1, never}});
  hot.temperature = 5, hot.top_k = 0, hot.min_p = 0, hot.top_p = 1;
  for (int i = 0; i < 200; ++i) EXPECT_GE(sample(logits, hot, i), 2);
  try {
    sample(logits, with({{0, never}, {1, never}, {2, never}, {3, never}}), 0);
    FAIL();
  } catch (const Error& e) { EXPECT_EQ(e.id(), "no_token_left"); }
}

TEST(LogitBias, IsReadAsItIsWritten) {
  constexpr float never = -std::numeric_limits<float>::infinity();
  for (const auto& [text, expected] : std::vector<std::pair<const char*, LogitBias>>{{"15043+1", {15043, 1}},
                                                                                     {"15043-2.5", {15043, -2.5f}},
                                                                                     {"15043=1", {15043, 1}},
                                                                                     {"15043=-1e1", {15043, -10}},
                                                                                     {"0-inf", {0, never}},
                                                                                     {"7=-inf", {7, never}},
                                                                                     {"7=ban", {7, never}},
                                                                                     {"007+0.25", {7, 0.25f}}}) {
    EXPECT_EQ(read_logit_bias(text), expected) << text;
    EXPECT_EQ(read_logit_bias(text_of(expected)), expected) << text_of(expected);
  }
  for (const char* text :
       {"",      "5",    "+1",   "-1+1", "5+",    "5=",     "5+nan", "5=nan",         "5+inf",   "5=inf",   "5+1,5",
        "5+0x1", "5+1x", "5 +1", " 5+1", "5+1e9", "5+1000", "5-101", "99999999999+1", "Hello+1", "5+-inf-", "\xff+1"})
    try {
      read_logit_bias(text);
      ADD_FAILURE() << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::usage) << text;
      EXPECT_NE(std::string(e.what()).find("--logit-bias"), std::string::npos);
    }
}

TEST(LogitBias, IdsAreHeldToTheVocabulary) {
  SamplerOptions o{.logit_bias = {{9, 1}}};
  o.check_tokens(10);
  for (LogitBias b : {LogitBias{10, 1}, LogitBias{-1, 1}}) {
    o.logit_bias = {b};
    try {
      o.check_tokens(10);
      ADD_FAILURE() << b.token;
    } catch (const Error& e) { EXPECT_NE(std::string(e.what()).find("0 to 9"), std::string::npos) << e.what(); }
  }
}

TEST(Penalties, RefuseWhatIsOutOfRange) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  std::vector<SamplerOptions> wrong = {
      {.repeat_last_n = -2}, {.logit_bias = {{1, nan}}}, {.logit_bias = {{1, 101}}}, {.logit_bias = {{1, infinity}}}};
  for (float x : {0.0f, -1.0f, 101.0f, nan, infinity}) wrong.push_back({.repeat_penalty = x});
  for (float x : {-2.1f, 2.1f, nan, infinity, -infinity})
    wrong.push_back({.frequency_penalty = x}), wrong.push_back({.presence_penalty = x});
  for (const auto& o : wrong) try {
      o.check();
      ADD_FAILURE();
    } catch (const Error& e) { EXPECT_EQ(e.code(), ExitCode::usage); }
  SamplerOptions{.logit_bias = {{1, -infinity}, {2, 100}},
                 .repeat_last_n = -1,
                 .repeat_penalty = 100,
                 .frequency_penalty = -2,
                 .presence_penalty = 2}
      .check();
}

TEST(Probabilities, EqualNumPys) {
  for (const auto& c : cases()) {
    auto logits = c["logits"].get<std::vector<float>>();
    auto expected = c["log_probabilities"].get<std::vector<double>>();
    auto top = c["top"].get<std::vector<int32_t>>();
    for (int32_t id = 0; id < static_cast<int32_t>(logits.size()); ++id) {
      ChosenToken p = probabilities(logits, id, 5);
      EXPECT_EQ(p.chosen.token, id);
      EXPECT_NEAR(p.chosen.log_probability, expected[static_cast<size_t>(id)], 1e-12);
      ASSERT_EQ(p.top.size(), 5u);
      for (size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(p.top[i].token, top[i]);
        EXPECT_NEAR(p.top[i].log_probability, expected[static_cast<size_t>(top[i])], 1e-12);
      }
    }
  }
}

TEST(Probabilities, LeaveOutWhatCannotBe) {
  constexpr float never = -std::numeric_limits<float>::infinity();
  std::vector<float> logits = {never, 2, never};
  ChosenToken p = probabilities(logits, 1, 20);
  EXPECT_EQ(p.chosen.log_probability, 0);
  ASSERT_EQ(p.top.size(), 1u);
  EXPECT_EQ(p.top[0].token, 1);
  EXPECT_TRUE(probabilities(logits, 1, 0).top.empty());
}

}  // namespace
}  // namespace ridgeline
