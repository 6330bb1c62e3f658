// `ridgeline run` by hand, with bad input too: each refusal has its exit status and a message that helps, never a signal.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

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

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

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

TEST_F(RunCommand, AStopStringEndsTheAnswer) {
  auto whole = run_ridgeline({"run", tiny, "Hello", "-n", "30", "--temp", "0", "--ignore-eos", "-q"}).out;
  std::string stop = whole.substr(5, 3);
  auto cut = run_ridgeline({"run", tiny, "Hello", "-n", "30", "--temp", "0", "--ignore-eos", "-q", "--stop", stop}).out;
  EXPECT_EQ(cut, whole.substr(0, whole.find(stop)) + "\n");
}

TEST_F(RunCommand, MistakesOnTheCommandLineAreExitTwo) {
  for (std::vector<std::string> line : std::vector<std::vector<std::string>>{{"run"},
                                                                             {"run", tiny, "x", "--temp", "-1"},
                                                                             {"run", tiny, "x", "--top-p", "2"},
                                                                             {"run", tiny, "x", "--nonsense"},
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
  std::string whole = contents(tiny);
  for (const std::string& content : {std::string(), std::string("GGUF"), whole.substr(0, whole.size() / 2),
                                     whole.substr(0, whole.size() - 1), "xx" + whole, std::string(100000, 'a')}) {
    auto f = run_ridgeline({"run", file("bad.gguf", content), "x"});
    EXPECT_EQ(f.status, 65) << f.err;
    EXPECT_NE(f.err.find("bad.gguf"), f.err.npos) << f.err;
  }
}

TEST_F(RunCommand, WeightsThatAreNoNumbersAreReportedNeverSampled) {
  std::string image = contents(tiny);  // the last tensor's data ends the file
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
