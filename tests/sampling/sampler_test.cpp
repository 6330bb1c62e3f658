#include "sampling/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/philox.h"

namespace ridgeline {
namespace {

constexpr SamplerOptions everything{.top_k = 0, .top_p = 1, .min_p = 0, .temperature = 1, .seed = 7};

// Frequencies of the tokens drawn at many positions.
std::map<int32_t, double> frequencies(const std::vector<float>& logits, const SamplerOptions& o, int draws = 20000) {
  std::map<int32_t, double> f;
  for (int i = 0; i < draws; ++i) f[sample(logits, o, i)] += 1.0 / draws;
  return f;
}

// Known answers: Random123 1.09, kat_vectors, philox4x32-10.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox(0, {0, 0, 0, 0}), (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox(~uint64_t{0}, {~0u, ~0u, ~0u, ~0u}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(Sampler, GreedyTakesTheGreatestAndTheLowestIdOfEquals) {
  std::vector<float> logits = {1, 5, -2, 5, 4};
  EXPECT_EQ(sample(logits, {.temperature = 0}, 3), 1);
  EXPECT_EQ(sample(logits, {.top_k = 1, .temperature = 1}, 3), 1);
  EXPECT_EQ(greatest(logits), 1);
}

TEST(Sampler, FollowsTheProbabilities) {
  std::vector<float> logits = {std::log(0.5f), std::log(0.3f), std::log(0.2f)};
  auto f = frequencies(logits, everything);
  EXPECT_NEAR(f[0], 0.5, 0.02);
  EXPECT_NEAR(f[1], 0.3, 0.02);
  EXPECT_NEAR(f[2], 0.2, 0.02);
  SamplerOptions hot = everything;
  hot.temperature = 0.5;  // squares the odds: 25 : 9 : 4
  f = frequencies(logits, hot);
  EXPECT_NEAR(f[0], 25.0 / 38, 0.02);
  EXPECT_NEAR(f[2], 4.0 / 38, 0.02);
}

TEST(Sampler, TopKTopPAndMinPCutWhereTheySay) {
  std::vector<float> logits;
  for (double p : {0.4, 0.3, 0.15, 0.1, 0.05}) logits.push_back(static_cast<float>(std::log(p)));
  SamplerOptions o = everything;
  o.top_k = 2;
  EXPECT_EQ(frequencies(logits, o).size(), 2u);
  o = everything, o.top_p = 0.71f;  // 0.4 + 0.3 fall short, 0.15 brings it over
  EXPECT_EQ(frequencies(logits, o).size(), 3u);
  o = everything, o.min_p = 0.3f;  // 0.3 * 0.4 = 0.12
  EXPECT_EQ(frequencies(logits, o).size(), 3u);
  o = everything, o.top_p = 1e-6f;
  EXPECT_EQ(frequencies(logits, o).size(), 1u);
}

TEST(Sampler, DependsOnSeedAndPositionAlone) {
  std::vector<float> logits(50);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(std::sin(static_cast<double>(i)));
  std::vector<int32_t> forward, backward;
  for (int i = 0; i < 100; ++i) forward.push_back(sample(logits, everything, i));
  for (int i = 100; i-- > 0;) backward.insert(backward.begin(), sample(logits, everything, i));
  EXPECT_EQ(forward, backward);
  SamplerOptions other = everything;
  other.seed = 8;
  int same = 0;
  for (int i = 0; i < 100; ++i) same += sample(logits, other, i) == forward[static_cast<size_t>(i)];
  EXPECT_LT(same, 20);
}

TEST(Sampler, NotANumberIsReportedNeverSampled) {
  std::vector<float> logits = {1, std::nanf(""), 2};
  for (float temperature : {0.0f, 1.0f}) try {
      SamplerOptions o = everything;
      o.temperature = temperature;
      sample(logits, o, 0);
      FAIL();
    } catch (const Error& e) { EXPECT_EQ(e.id(), "numeric_error"); }
  std::vector<float> banned = {-std::numeric_limits<float>::infinity(), 0, -std::numeric_limits<float>::infinity()};
  for (int i = 0; i < 100; ++i) EXPECT_EQ(sample(banned, everything, i), 1);
}

TEST(Sampler, RefusesOptionsOutOfRange) {
  for (SamplerOptions o : {SamplerOptions{.top_k = -1}, SamplerOptions{.top_p = 0}, SamplerOptions{.top_p = 1.1f},
                           SamplerOptions{.min_p = -0.1f}, SamplerOptions{.temperature = -1},
                           SamplerOptions{.temperature = std::nanf("")}})
    try {
      o.check();
      FAIL();
    } catch (const Error& e) { EXPECT_EQ(e.code(), ExitCode::usage); }
  SamplerOptions{}.check();
}

}  // namespace
}  // namespace ridgeline
