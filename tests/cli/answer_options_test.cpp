// The options of an answer by name, as JSON and back, and a conversation's file.
#include "cli/answer_options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/scratch_folder.h"
#include "cli/saved_chat.h"

namespace ridgeline {
namespace {

template <class F>
Error error_of(F f) {
  try {
    f();
  } catch (const Error& e) { return e; }
  return {ExitCode::ok, "none", "nothing was thrown"};
}

AnswerOptions unusual() {
  AnswerOptions o;
  o.generate.sampler = {.logit_bias = {{5, -0.1f}, {6, -std::numeric_limits<float>::infinity()}},
                        .repeat_last_n = -1,
                        .repeat_penalty = 1.1f,
                        .frequency_penalty = -0.3f,
                        .presence_penalty = 0.7f,
                        .top_k = 13,
                        .top_p = 0.9f,
                        .min_p = 0.01f,
                        .temperature = 1.7f,
                        .seed = INT64_MAX};
  o.generate.limit = 77;
  o.generate.stops = {"[a, b]", "two\nlines", "--stop=x", "\"quoted\"", "ü"};
  o.generate.ignore_eos = true;
  o.generate.probabilities = 3;
  return o;
}

TEST(AnswerOptions, EveryOneIsInTheJsonAndComesBackTheSame) {
  AnswerOptions o = unusual(), back;
  auto j = answer_options_json(o.generate);
  std::vector<std::string> keys;
  for (const auto& [name, value] : j.items()) {
    keys.push_back(name);
    std::ranges::replace(keys.back(), '_', '-');
    set_answer_option_json(back, name, nlohmann::json::parse(value.dump()));
  }
  auto names = answer_option_names();
  std::ranges::sort(names), std::ranges::sort(keys);
  EXPECT_EQ(keys, names);
  EXPECT_EQ(answer_options_json(back.generate), j);
  const SamplerOptions &a = o.generate.sampler, &b = back.generate.sampler;
  EXPECT_EQ(a.logit_bias, b.logit_bias);
  EXPECT_EQ(a.repeat_penalty, b.repeat_penalty);
  EXPECT_EQ(a.temperature, b.temperature);
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(o.generate.stops, back.generate.stops);
  EXPECT_EQ(j["temp"], 1.7) << "the number that was given, not the nearest fp32 in all its digits";
}

TEST(AnswerOptions, UnsetTakesAnothersValue) {
  AnswerOptions o = unusual();
  for (const auto& name : answer_option_names()) unset_answer_option(o, name, AnswerOptions{});
  EXPECT_EQ(answer_options_json(o.generate), answer_options_json(GenerateOptions{}));
}

TEST(AnswerOptions, WhatIsRefusedChangesNothing) {
  AnswerOptions o = unusual();
  auto before = answer_options_json(o.generate);
  for (const auto& [name, value] : std::vector<std::pair<const char*, nlohmann::json>>{{"temp", "warm"},
                                                                                       {"stop", "x"},
                                                                                       {"stop", {1, nullptr}},
                                                                                       {"stop", {"a", ""}},
                                                                                       {"logit_bias", {"5+1", "x"}},
                                                                                       {"logprobs", 21},
                                                                                       {"top_k", nullptr},
                                                                                       {"seed", -2},
                                                                                       {"seed", UINT64_MAX},
                                                                                       {"predict", 1e9},
                                                                                       {"ignore_eos", "maybe"},
                                                                                       {"help", 1},
                                                                                       {"", 1}}) {
    Error e = error_of([&] { set_answer_option_json(o, name, value); });
    EXPECT_EQ(e.code(), ExitCode::usage) << name << " " << value << ": " << e.what();
    EXPECT_EQ(answer_options_json(o.generate), before) << name;
  }
}

TEST(AnswerOptions, ASeedOfMinusOneIsAnotherEachTime) {
  AnswerOptions a, b;
  set_answer_option(a, "seed", "-1"), set_answer_option(b, "seed", "-1");
  EXPECT_NE(a.generate.sampler.seed, b.generate.sampler.seed);
  set_answer_option(a, "seed", "12");
  EXPECT_EQ(a.generate.sampler.seed, 12u);
}

SavedChat small_chat() {
  return {"a \"model\"",
          "Be\nbrief.",
          {{"user", "Hi \xff", {1, 2}}, {"assistant", "ü \x1b", {3}}},
          answer_options_json(unusual().generate)};
}

TEST(SavedChat, ComesBackAsItWas) {
  ScratchFolder folder;
  std::string path = folder / "chat.json";
  for (int i = 0; i < 2; ++i) save_chat(path, small_chat());  // the second time over the first
  SavedChat c = load_chat(path);
  EXPECT_EQ(c.model, "a \"model\"");
  EXPECT_EQ(c.system, "Be\nbrief.");
  ASSERT_EQ(c.turns.size(), 2u);
  EXPECT_EQ(c.turns[0].content, "Hi \xEF\xBF\xBD");
  EXPECT_EQ(c.turns[1].content, "ü \x1b");
  EXPECT_EQ(c.turns[0].tokens, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(nlohmann::json(c.settings), nlohmann::json(small_chat().settings));  // whatever their order
}

TEST(SavedChat, WhatNobodyWroteIsRefused) {
  ScratchFolder folder;
  std::string path = folder / "chat.json";
  save_chat(path, small_chat());
  const std::string good = content_of(path);
  auto refused = [&](const std::string& text, const char* words) {
    Error e = error_of([&] { load_chat(folder.write("bad.json", text)); });
    EXPECT_EQ(e.code(), ExitCode::bad_data) << text.substr(0, 80);
    for (const char* part : {"bad.json", words})
      EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << part << "\nis not in\n" << e.what();
  };
  auto changed = [&](std::string_view pointer, const nlohmann::ordered_json& value) {
    auto j = nlohmann::ordered_json::parse(good);
    j[nlohmann::ordered_json::json_pointer(std::string(pointer))] = value;
    return j.dump();
  };
  for (size_t n = 0; n + 2 < good.size(); n += 7) refused(good.substr(0, n), "");
  refused("[]", "expected an object");
  refused("{}", "ridgeline_chat");
  refused("\xEF\xBB\xBF" + good, "byte order mark");
  refused(good + "x", "not JSON");
  refused(std::string(100'000, '['), "");
  refused(changed("/ridgeline_chat", 2), "version is 2");
  refused(changed("/ridgeline_chat", "1"), "version");
  refused(changed("/command", "rm"), "the key 'command'");
  refused(changed("/model", 1), "model");
  refused(changed("/system", nullptr), "system");
  refused(changed("/turns", "x"), "turns");
  refused(changed("/turns/0", "x"), "turn 1");
  refused(changed("/turns/0/role", "assistant"), "the role of turn 1");
  refused(changed("/turns/1/role", "system"), "the role of turn 2");
  refused(changed("/turns/1/content", {1}), "content");
  refused(changed("/turns/1/name", "x"), "name");
  refused(changed("/turns/0/tokens", 1), "tokens");
  for (const auto& id : std::vector<nlohmann::ordered_json>{-1, 1.5, "1", uint64_t{1} << 31, nullptr})
    refused(changed("/turns/0/tokens/0", id), "tokens");
  refused(changed("/turns/2", {{"role", "user"}, {"content", "x"}}), "no answer");
  refused(changed("/settings", {1}), "settings");
  std::string twice = good;
  refused(twice.replace(twice.find("\"system\""), 8, "\"model\""), "twice");
}

TEST(SavedChat, IsWrittenWholeOrNotAtAll) {
  ScratchFolder folder;
  std::string other = folder.write("other.json", "{\"a\": 1}"), inside = folder / "missing/chat.json";
  EXPECT_EQ(error_of([&] { save_chat(other, small_chat()); }).id(), "not_a_chat");
  EXPECT_EQ(error_of([&] { save_chat(folder.path(), small_chat()); }).id(), "not_a_chat");
  EXPECT_EQ(error_of([&] { save_chat("/dev/null", small_chat()); }).id(), "not_a_chat");
  EXPECT_EQ(error_of([&] { save_chat(inside, small_chat()); }).id(), "write_failed");
  size_t files = 0;
  for (const auto& f : std::filesystem::directory_iterator(folder.path())) files += f.is_regular_file();
  EXPECT_EQ(files, 1u);
}

}  // namespace
}  // namespace ridgeline
