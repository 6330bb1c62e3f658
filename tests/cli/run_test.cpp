// `ridgeline run` by hand, with bad input too: each refusal has its exit status and a message that helps, never a signal.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/scratch_folder.h"
#include "process.h"

namespace ridgeline {
namespace {

const std::string tiny = std::string(RIDGELINE_TEST_DATA) + "/goldens/tiny_llama.gguf";

class Scratch : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("ridgeline_cli_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return (folder_ / name).string();
  }
  std::filesystem::path folder_;
};
using RunCommand = Scratch;

TEST_F(RunCommand, GreedyTextIsTheSameEachTime) {
  auto a = run_ridgeline({"run", tiny, "Hello", "-n", "20", "--temp", "0", "--ignore-eos", "-q"});
  auto b = run_ridgeline({"run", tiny, "Hello", "-n", "20", "--temp", "0", "--ignore-eos", "-q", "-t", "1"});
  EXPECT_EQ(a.status, 0) << a.err;
  EXPECT_EQ(a.out, b.out);
  EXPECT_GT(a.out.size(), 10u);
  EXPECT_EQ(a.err, "");
}

TEST_F(RunCommand, ASeedDecides) {
  auto with = [](const char* seed) {
    return run_ridgeline({"run", tiny, "Hello", "-n", "30", "--temp", "1.5", "--seed", seed, "--ignore-eos", "-q"}).out;
  };
  EXPECT_EQ(with("7"), with("7"));
  EXPECT_NE(with("7"), with("8"));
}

TEST_F(RunCommand, ReadsThePromptFromAPipeOrAFile) {
  std::vector<std::string> rest = {"-n", "8", "--temp", "0", "--ignore-eos", "-q"};
  auto call = [&](std::vector<std::string> first, const std::string& input) {
    first.insert(first.end(), rest.begin(), rest.end());
    return run_ridgeline(first, {.input = input});
  };
  auto argument = call({"run", tiny, "Hello"}, ""), pipe = call({"run", tiny}, "Hello\n"),
       from_file = call({"run", tiny, "-f", file("prompt", "Hello")}, "");
  EXPECT_EQ(argument.status, 0);
  EXPECT_EQ(argument.out, pipe.out);
  EXPECT_EQ(argument.out, from_file.out);
}

TEST_F(RunCommand, StandardErrorSaysWhatWasMeasured) {
  auto f = run_ridgeline({"run", tiny, "Hello", "-n", "8", "--temp", "0", "--ignore-eos"});
  EXPECT_EQ(f.status, 0);
  for (const char* part : {"tok/s", "GB/s", "prompt 5 tokens", "answer 8 tokens", "loaded in", "peak memory"})
    EXPECT_NE(f.err.find(part), f.err.npos) << part << "\n" << f.err;
}

TEST_F(RunCommand, ExplainShowsBothPhasesAndWhatACacheSaves) {
  auto call = [&](std::vector<std::string> more) {
    std::vector<std::string> all = {"run", tiny, "Hello", "-n", "20", "--temp", "0", "--ignore-eos"};
    all.insert(all.end(), more.begin(), more.end());
    return run_ridgeline(all);
  };
  auto plain = call({}), with = call({"--explain"}), without = call({"--explain", "--disable", "insert_kv_cache"});
  ASSERT_EQ(with.status, 0) << with.err;
  EXPECT_EQ(with.out, plain.out);
  EXPECT_EQ(without.out, plain.out);  // the same bits, only slower
  for (auto words : {"[prefill: ", "[decode: 20 tokens, ", "next step ", " KV ", "of its roof"})
    EXPECT_NE(with.err.find(words), with.err.npos) << words << "\n" << with.err;
  EXPECT_EQ(with.err.find("Without a KV cache"), with.err.npos);
  // A prompt of n tokens, then n + 1, ... n + 20: each step computes all of them again.
  size_t at = with.err.find("prompt ");
  ASSERT_NE(at, with.err.npos);
  int n = std::stoi(with.err.substr(at + 7)), computed = 21 * n + 20 * 21 / 2;
  EXPECT_NE(without.err.find("Without a KV cache " + std::to_string(computed) + " tokens were computed to keep " +
                             std::to_string(n + 20)),
            without.err.npos)
      << without.err;
}

TEST_F(RunCommand, AStopStringEndsTheAnswer) {
  auto whole = run_ridgeline({"run", tiny, "Hello", "-n", "30", "--temp", "0", "--ignore-eos", "-q"}).out;
  std::string stop = whole.substr(5, 3);
  auto cut = run_ridgeline({"run", tiny, "Hello", "-n", "30", "--temp", "0", "--ignore-eos", "-q", "--stop", stop}).out;
  EXPECT_EQ(cut, whole.substr(0, whole.find(stop)) + "\n");
}

TEST_F(RunCommand, JsonHoldsTheAnswerAndAllThatMadeIt) {
  std::vector<std::string> line = {"run",          tiny,           "Hello",  "-n",         "12",
                                   "--ignore-eos", "-q",           "--temp", "1.3",        "--repeat-penalty",
                                   "1.2",          "--logit-bias", "40-inf", "--logprobs", "3"};
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), line.begin(), line.end());
    return run_ridgeline(more);
  };
  auto f = with({"--json"});
  ASSERT_EQ(f.status, 0) << f.err;
  EXPECT_EQ(f.err, "");
  auto j = nlohmann::json::parse(f.out);
  EXPECT_EQ(j["prompt_tokens"], 5);
  EXPECT_EQ(j["prompt_ids"].size(), 5u);
  EXPECT_EQ(j["answer_tokens"], 12);
  EXPECT_EQ(j["finish"], "token_limit");
  for (const char* key : {"prompt_seconds", "prompt_tokens_per_second", "answer_seconds", "answer_tokens_per_second"})
    EXPECT_GT(j[key].get<double>(), 0) << key;
  EXPECT_EQ(j["settings"]["temp"], 1.3);
  EXPECT_EQ(j["settings"]["repeat_penalty"], 1.2);
  ASSERT_EQ(j["logprobs"].size(), 12u);
  for (size_t i = 0; i < 12; ++i) {
    const auto& p = j["logprobs"][i];
    EXPECT_EQ(p["token"], j["ids"][i]);
    EXPECT_NE(p["token"], 40) << "forbidden";
    ASSERT_EQ(p["top"].size(), 3u);
    double last = 0, sum = 0;
    for (const auto& t : p["top"]) {
      double ln = t["logprob"];
      EXPECT_LE(ln, last);
      EXPECT_TRUE(t["token"] != p["token"] || ln == p["logprob"].get<double>());
      sum += std::exp(last = ln);
    }
    EXPECT_LE(sum, 1);
    EXPECT_LE(p["logprob"].get<double>(), p["top"][0]["logprob"].get<double>());
  }
  // The seed that was drawn gives the same again, and as text.
  std::string seed = j["settings"]["seed"].dump();
  EXPECT_EQ(nlohmann::json::parse(with({"--json", "--seed", seed}).out)["ids"], j["ids"]);
  std::string text = with({"--seed", seed}).out, answer = j["text"];
  EXPECT_EQ(text.substr(0, answer.size() + 1), answer + "\n");
  for (const char* title : {"ln p", "most probable"}) EXPECT_NE(text.find(title, answer.size()), text.npos) << text;
}

TEST_F(RunCommand, LogProbabilitiesAreTheModelsOwn) {
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"run", tiny, "Hello", "-n", "1", "--ignore-eos", "-q", "--json", "--logprobs", "20"});
    return nlohmann::json::parse(run_ridgeline(more).out)["logprobs"][0]["top"];
  };
  auto plain = with({"--temp", "0"});
  EXPECT_EQ(with({"--temp", "3", "--top-k", "2", "--seed", "1"}), plain);
  EXPECT_EQ(with({"--repeat-penalty", "5", "--logit-bias", "7+90", "--presence-penalty", "2"}), plain);
  auto none = run_ridgeline({"run", tiny, "Hello", "-n", "1", "--ignore-eos", "-q", "--json"});
  EXPECT_FALSE(nlohmann::json::parse(none.out).contains("logprobs"));
}

TEST_F(RunCommand, PenaltiesKeepATokenFromComingBack) {
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"run", tiny, "Hello", "-n", "40", "--ignore-eos", "-q", "--json", "--temp", "0"});
    auto f = run_ridgeline(more);
    EXPECT_EQ(f.status, 0) << f.err;
    auto ids = nlohmann::json::parse(f.out)["ids"].get<std::vector<int>>();
    std::sort(ids.begin(), ids.end());
    return std::unique(ids.begin(), ids.end()) - ids.begin();
  };
  auto plain = with({});
  EXPECT_LT(plain, 40) << "the greedy answer repeats itself, or this tests nothing";
  EXPECT_EQ(with({"--repeat-penalty", "1"}), plain);
  EXPECT_EQ(with({"--repeat-penalty", "100", "--repeat-last-n", "0"}), plain);
  EXPECT_GT(with({"--repeat-penalty", "100", "--repeat-last-n", "-1"}), plain);
  EXPECT_GT(with({"--frequency-penalty", "2"}), plain);
}

TEST_F(RunCommand, MistakesOnTheCommandLineAreExitTwo) {
  for (std::vector<std::string> line :
       std::vector<std::vector<std::string>>{{"run"},
                                             {"run", tiny, "x", "--temp", "-1"},
                                             {"run", tiny, "x", "--top-p", "2"},
                                             {"run", tiny, "x", "--nonsense"},
                                             {"run", tiny, "x", "--repeat-penalty", "0"},
                                             {"run", tiny, "x", "--logprobs", "21"},
                                             {"run", tiny, "x", "--logit-bias", "x"},
                                             {"run", tiny, "x", "--logit-bias", "99999+1"},
                                             {"run", tiny, "x", "--raw", "--system", "y"},
                                             {"run", tiny, "x", "-n", "many"},
                                             {"run", tiny, "x", "--type", "q3"},
                                             {"run", tiny, "x", "--kernels", "mmx"},
                                             {"run", tiny, "x", "--disable", "fusion"},
                                             {"nonsense"}}) {
    auto f = run_ridgeline(line);
    EXPECT_EQ(f.status, 2) << line.back() << ": " << f.err;
    EXPECT_NE(f.err.find("ridgeline:"), f.err.npos);
    EXPECT_EQ(f.out, "");
  }
}

TEST_F(RunCommand, WhatCannotBeOpenedIsExit66) {
  for (const std::string& path : {std::string("/nowhere/model.gguf"), folder_.string(), std::string("/dev/null")}) {
    auto f = run_ridgeline({"run", path, "x"});
    EXPECT_EQ(f.status, 66) << f.err;
    EXPECT_NE(f.err.find(path), f.err.npos) << f.err;
  }
}

TEST_F(RunCommand, MalformedFilesAreExit65) {
  std::string whole = content_of(tiny);
  for (const std::string& content : {std::string(), std::string("GGUF"), whole.substr(0, whole.size() / 2),
                                     whole.substr(0, whole.size() - 1), "xx" + whole, std::string(100000, 'a')}) {
    auto f = run_ridgeline({"run", file("bad.gguf", content), "x"});
    EXPECT_EQ(f.status, 65) << f.err;
    EXPECT_NE(f.err.find("bad.gguf"), f.err.npos) << f.err;
  }
}

TEST_F(RunCommand, WeightsThatAreNoNumbersAreReportedNeverSampled) {
  std::string image = content_of(tiny);  // the last tensor's data ends the file
  for (size_t at = image.size() - 4000; at + 4 <= image.size(); at += 4) image.replace(at, 4, "\xff\xff\xff\x7f", 4);
  std::string path = file("nan.gguf", image);
  EXPECT_EQ(run_ridgeline({"run", path, "Hello", "--check-tensors"}).status, 65);
  auto f = run_ridgeline({"run", path, "Hello"});
  EXPECT_EQ(f.status, 70) << f.err;
  EXPECT_NE(f.err.find("not a number"), f.err.npos) << f.err;
}

TEST_F(RunCommand, APromptLongerThanTheContextIsRefusedWithTheRemedy) {
  auto f = run_ridgeline({"run", tiny}, {.input = std::string(100 << 10, 'a')});
  EXPECT_EQ(f.status, 69) << f.err;
  EXPECT_NE(f.err.find("-c"), f.err.npos) << f.err;
  EXPECT_EQ(run_ridgeline({"run", tiny, ""}).status, 2);
  EXPECT_EQ(run_ridgeline({"run", tiny}, {.input = "\n"}).status, 2);
}

TEST_F(RunCommand, AClosedPipeIsAnErrorNotASignal) {
  auto f = run_ridgeline({"run", tiny, "Hello", "-n", "50", "--ignore-eos", "-q"}, {.close_output = true});
  EXPECT_EQ(f.status, 74) << f.err;
}

TEST_F(RunCommand, InterruptsStopTheAnswerAndSayWhich) {
  std::vector<std::string> line = {"run", tiny, "Hello", "-n", "250", "--ignore-eos"};
  EXPECT_EQ(run_ridgeline(line, {.signal = SIGINT}).status, 130);
  EXPECT_EQ(run_ridgeline(line, {.signal = SIGTERM}).status, 143);
}

TEST_F(RunCommand, NoColourWhereNoneIsWanted) {
  auto plain = run_ridgeline({"run", tiny, "Hello", "-n", "4"});
  EXPECT_EQ((plain.out + plain.err).find('\x1b'), std::string::npos);
  auto forced = run_ridgeline({"run", tiny, "Hello", "-n", "4"}, {.environment = {{"CLICOLOR_FORCE", "1"}}});
  EXPECT_NE(forced.err.find('\x1b'), std::string::npos);
  auto refused =
      run_ridgeline({"run", tiny, "Hello", "-n", "4"}, {.environment = {{"CLICOLOR_FORCE", "1"}, {"NO_COLOR", "1"}}});
  EXPECT_EQ((refused.out + refused.err).find('\x1b'), std::string::npos);
}

TEST_F(RunCommand, HelpAndVersion) {
  EXPECT_EQ(run_ridgeline({"--version"}).status, 0);
  auto help = run_ridgeline({"run", "--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* part : {"--temp", "--top-k", "--min-p", "Examples"})
    EXPECT_NE(help.out.find(part), help.out.npos) << part;
  EXPECT_EQ(run_ridgeline({}).status, 0);
}

}  // namespace
}  // namespace ridgeline
