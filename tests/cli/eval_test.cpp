// `ridgeline eval` by hand, bad input too.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "process.h"

namespace ridgeline {
namespace {

const std::string data = RIDGELINE_TEST_DATA;
const std::string tiny = data + "/goldens/tiny_llama.gguf", gpt2 = data + "/goldens/tiny_gpt2.gguf";
const std::string quantized = data + "/goldens/tiny_llama_q8_0.gguf";

class EvalCommand : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("ridgeline_eval_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    text_ = file("text", "the rain in the north thins then\nthe heat there, and then in the inn the thin tea.\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return (folder_ / name).string();
  }
  nlohmann::json evaluate(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "eval");
    arguments.insert(arguments.end(), {"--json", "-q"});
    auto f = run_ridgeline(arguments);
    EXPECT_EQ(f.status, 0) << f.err;
    EXPECT_EQ(f.err, "");
    return f.status ? nlohmann::json() : nlohmann::json::parse(f.out);
  }
  std::filesystem::path folder_;
  std::string text_;
};

TEST_F(EvalCommand, PrintsPerplexityWithItsErrorAndSpeed) {
  auto f = run_ridgeline({"eval", tiny, "-f", text_, "-c", "32"});
  EXPECT_EQ(f.status, 0) << f.err;
  for (const char* part : {"perplexity", "±", "nats per token", "bits per byte", "tok/s", "windows of 32, stride 16"})
    EXPECT_NE(f.out.find(part), f.out.npos) << part << "\n" << f.out;
}

TEST_F(EvalCommand, JsonHoldsTheSameNumbersAndEveryToken) {
  auto j = evaluate({tiny, "-f", text_, "-c", "32", "--stride", "8", "--tokens"});
  EXPECT_EQ(j["method"], "sliding_window");
  EXPECT_EQ(j["tokens_scored"], j["text_tokens"].get<int>() - 1);
  ASSERT_EQ(j["tokens"].size(), j["tokens_scored"]);
  double sum = 0;
  for (const auto& t : j["tokens"]) sum += t["loss"].get<double>();
  EXPECT_NEAR(std::exp(sum / j["tokens_scored"].get<double>()) / j["perplexity"].get<double>(), 1, 1e-12);
  auto again = evaluate({tiny, "-f", text_, "-c", "32", "--stride", "8", "-t", "1"});
  EXPECT_EQ(j["perplexity"], again["perplexity"]);
}

TEST_F(EvalCommand, ChunksAndLimitScoreLess) {
  auto all = evaluate({tiny, "-f", text_, "-c", "16", "--chunks"});
  EXPECT_EQ(all["tokens_scored"], all["windows"].get<int>() * 7);
  auto one = evaluate({tiny, "-f", text_, "-c", "16", "--chunks", "--limit", "1"});
  EXPECT_EQ(one["tokens_scored"], 7);
}

TEST_F(EvalCommand, WindowsAreNoLongerThanTheModelsContextUnlessAsked) {
  EXPECT_EQ(evaluate({gpt2, "-f", text_})["context"], 64);
  EXPECT_EQ(evaluate({tiny, "-f", text_})["context"], 256);
}

TEST_F(EvalCommand, ComparesWithAnotherArithmeticOrFile) {
  auto with = [&](const std::string& model, const std::string& other) {
    return evaluate({model, "-f", text_, "-c", "32", "--compare", other})["compare"];
  };
  auto fp32 = with(quantized, "fp32");
  EXPECT_GT(fp32["kl_divergence"]["mean"], 0);
  EXPECT_LT(fp32["kl_divergence"]["mean"], 0.05);
  EXPECT_GT(fp32["same_top_token"]["mean"], 0.8);
  EXPECT_EQ(with(tiny, "f32")["reference"], "f32");
  EXPECT_GT(with(tiny, "q4_0")["kl_divergence"]["mean"], fp32["kl_divergence"]["mean"]);
  EXPECT_EQ(with(tiny, tiny)["kl_divergence"]["max"], 0);
  EXPECT_GT(with(tiny, quantized)["kl_divergence"]["max"], 0);
  auto f = run_ridgeline({"eval", quantized, "-f", text_, "-c", "32", "--compare", "fp32", "--tokens"});
  EXPECT_EQ(f.status, 0) << f.err;
  for (const char* part : {"KL(P || Q)", "same most probable token", "its perplexity", "\"th\""})
    EXPECT_NE(f.out.find(part), f.out.npos) << part << "\n" << f.out;
}

TEST_F(EvalCommand, MistakesHaveTheirExitStatus) {
  std::string empty = file("empty", ""), letter = file("letter", "a"), short_text = file("short", "three"),
              long_text = file("long", std::string(200, 'n')), other = (folder_ / "other.gguf").string();
  ASSERT_EQ(run_ridgeline({"synth", "gpt2", "--layers", "1", "--vocab", "300", "-o", other}).status, 0);
  struct Case {
    int status;
    std::string says;
    std::vector<std::string> line;
  };
  for (const Case& c : std::vector<Case>{
           {2, "--file", {tiny}},
           {2, "--stride", {tiny, "-f", text_, "--stride", "0"}},
           {2, "--stride", {tiny, "-f", text_, "--stride", "-1"}},
           {2, "--stride", {tiny, "-f", text_, "--stride", "1e9999"}},
           {2, "--stride 33", {tiny, "-f", text_, "-c", "32", "--stride", "33"}},
           {2, "--stride", {tiny, "-f", text_, "--stride", "8", "--chunks"}},
           {2, "-c 1", {tiny, "-f", text_, "-c", "1"}},
           {2, "-c 3", {tiny, "-f", text_, "-c", "3", "--chunks"}},
           {2, "there is no type 'fp33'", {tiny, "-f", text_, "--compare", "fp33"}},
           {65, "at least 2", {tiny, "-f", empty}},
           {65, "at least 2", {tiny, "-f", letter}},
           {65, "smaller -c", {tiny, "-f", short_text, "--chunks"}},
           {65, "same vocabulary", {tiny, "-f", text_, "--compare", other}},
           {66, "/nowhere", {tiny, "-f", "/nowhere"}},
           {66, "not a file", {tiny, "-f", folder_.string()}},
           {66, "not a file", {tiny, "-f", "/dev/zero"}},
           {66, "/nowhere.gguf", {"/nowhere.gguf", "-f", text_}},
           {66, "/nowhere.gguf", {tiny, "-f", text_, "--compare", "/nowhere.gguf"}},
           {2, "64 positions", {gpt2, "-f", long_text, "-c", "100"}},
       }) {
    auto line = c.line;
    line.insert(line.begin(), "eval");
    auto f = run_ridgeline(line);
    EXPECT_EQ(f.status, c.status) << c.says << ": " << f.err;
    EXPECT_NE(f.err.find(c.says), f.err.npos) << c.says << " is not in: " << f.err;
    EXPECT_EQ(f.out, "");
  }
}

TEST_F(EvalCommand, BytesThatAreNoTextAreScoredAllTheSame) {
  auto j = evaluate(
      {tiny, "-f", file("bytes", std::string("\xff\xfe\0 the \xc3", 10) + "then in the thin \x80 inn"), "-c", "16"});
  EXPECT_GT(j["tokens_scored"], 5);
}

}  // namespace
}  // namespace ridgeline
