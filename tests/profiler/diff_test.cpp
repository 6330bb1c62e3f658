#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/refused.h"
#include "base/scratch_folder.h"
#include "made_up_profile.h"
#include "profiler/profile_diff.h"
#include "profiler/profile_report.h"

namespace ridgeline {
namespace {

using Json = nlohmann::ordered_json;

SavedProfile saved(const Profile& p) {
  ScratchFolder folder;
  return read_profile(folder.write("p.json", profile_json(p).dump()));
}
// All ops of one name take `seconds` more.
Profile slower(Profile p, std::string_view op, double seconds) {
  for (size_t i = 0; i < p.ops.size(); ++i)
    if (p.program.nodes[i].op.name() == op) p.ops[i].measured += seconds, p.step += seconds;
  return p;
}
// The same step on a machine whose memory is `factor` as fast, all of it waiting for memory.
Profile on_slower_memory(Profile p, double factor) {
  p.hardware.bandwidth.value *= factor;
  for (size_t i = 0; i < p.ops.size(); ++i)
    if (p.limits[i] == Limit::memory) {
      p.step += p.ops[i].measured / factor - p.ops[i].measured;
      p.ops[i].measured /= factor, p.ops[i].ideal /= factor;
    }
  return p;
}

TEST(ProfileDiff, NamesTheKindThatRegressed) {
  Profile p = made_up_profile();
  auto d = compare(saved(p), saved(slower(p, "attention", 1e-3)));
  ASSERT_TRUE(d.regressed());
  EXPECT_TRUE(d.regressed()->name.starts_with("a = attention(")) << d.regressed()->name;
  EXPECT_NEAR(d.regressed()->slower, 2e-3, 1e-9);
  EXPECT_NEAR(d.slower, 2e-3, 1e-9);
  EXPECT_NEAR(d.regression(), 2e-3 / p.step, 1e-6);
  EXPECT_NE(difference_text(d).find("slower: a = attention("), std::string::npos);
  EXPECT_TRUE(difference_json(d)["regressed"].get<std::string>().starts_with("a = attention("));
}

TEST(ProfileDiff, OneRegressionDoesNotHideBehindAnImprovement) {
  Profile p = made_up_profile();
  auto d = compare(saved(p), saved(slower(slower(p, "rope", 1e-3), "linears", -1e-5)));
  p = slower(p, "attention", 5e-3);
  auto hidden = compare(saved(p), saved(slower(slower(p, "rope", 1e-3), "attention", -4e-3)));
  EXPECT_LT(hidden.slower, 0);
  for (const auto* diff : {&d, &hidden}) {
    ASSERT_TRUE(diff->regressed());
    EXPECT_TRUE(diff->regressed()->name.starts_with("q = rope(")) << diff->regressed()->name;
    EXPECT_NEAR(diff->regressed()->slower, 2e-3, 1e-9);
  }
}

TEST(ProfileDiff, NothingChanged) {
  Profile p = made_up_profile();
  auto d = compare(saved(p), saved(p));
  EXPECT_FALSE(d.regressed());
  EXPECT_EQ(d.regression(), 0);
  EXPECT_TRUE(difference_json(d)["regressed"].is_null());
}

TEST(ProfileDiff, ASlowerMachineIsNoRegression) {
  Profile p = made_up_profile(), slow = on_slower_memory(p, 0.5);
  auto d = compare(saved(p), saved(slow));
  EXPECT_GT(slow.step, 1.5 * p.step);
  EXPECT_NEAR(d.regression(), 0, 1e-9);
  // But what is slower still is one; and a faster machine excuses nothing.
  EXPECT_NEAR(compare(saved(p), saved(slower(slow, "attention", 1e-3))).regressed()->slower, 2e-3, 1e-9);
  EXPECT_NEAR(compare(saved(slow), saved(slow)).regression(), 0, 1e-9);
  Profile fast = p;
  fast.hardware.bandwidth.value *= 2;
  EXPECT_NEAR(compare(saved(p), saved(fast)).regression(), 0, 1e-9);
}

TEST(ProfileDiff, AnOpOfOneOfThemOnly) {
  auto d = compare(saved(made_up_profile()), saved(made_up_profile({"linear_add"})));
  ASSERT_TRUE(d.regressed());
  std::string text = difference_text(d);
  EXPECT_NE(text.find("new"), std::string::npos) << text;
  EXPECT_NE(text.find("gone"), std::string::npos) << text;
}

TEST(ProfileDiff, RefusesWhatIsNoProfile) {
  ScratchFolder folder;
  Json good = profile_json(made_up_profile());
  auto refuse = [&](auto change, std::initializer_list<std::string_view> words) {
    Json j = good;
    change(j);
    std::string path = folder.write("p.json", j.dump());
    EXPECT_TRUE(refused(ExitCode::bad_data, "profile_file", words, [&] { read_profile(path); })) << j.dump();
  };
  refuse([](Json& j) { j = Json::array(); }, {"p.json", "the profile should be an object", "array"});
  refuse([](Json& j) { j.erase("format"); }, {"the profile lacks \"format\""});
  refuse([](Json& j) { j["format"] = "ridgeline-profile-0"; }, {"ridgeline-profile-0", "expected ridgeline-profile-1"});
  refuse([](Json& j) { j["model"] = 3; }, {"\"model\" should be a text"});
  refuse([](Json& j) { j["step"] = 3; }, {"step should be an object"});
  refuse([](Json& j) { j["step"]["measured_seconds"] = 0; }, {"more than 0"});
  refuse([](Json& j) { j["step"]["measured_seconds"] = -1; }, {"number from 0 on", "-1"});
  refuse([](Json& j) { j["kinds"] = "all"; }, {"kinds should be a list"});
  refuse([](Json& j) { j["kinds"][2].erase("roof"); }, {"kinds[2] lacks \"roof\""});
  refuse([](Json& j) { j["kinds"][1]["measured_seconds"] = "1"; }, {"kinds[1]", "measured_seconds"});
  refuse([](Json& j) { j["kinds"][1] = j["kinds"][0]; }, {"kinds[1] is there twice"});
  refuse([](Json& j) { j["barriers"] = nullptr; }, {"barriers should be an object"});
  std::string path = folder.write("q.json", "{\"format\": ");
  EXPECT_TRUE(refused(ExitCode::bad_data, "profile_file", {"q.json"}, [&] { read_profile(path); }));
  EXPECT_THROW(read_profile(folder / "nowhere.json"), Error);
}

}  // namespace
}  // namespace ridgeline
