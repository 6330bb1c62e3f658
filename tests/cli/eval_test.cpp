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

// A reference to the hub is looked up in the cache, as every command does, on both sides of a comparison.
TEST_F(EvalCommand, TakesWhatPullStored) {
  auto snapshot = folder_ / "hub/models--some--tiny-GGUF/snapshots/c0ffee";
  std::filesystem::create_directories(snapshot);
  std::filesystem::create_directories(folder_ / "hub/models--some--tiny-GGUF/refs");
  std::filesystem::create_symlink(tiny, snapshot / "tiny-F32.gguf");
  file("hub/models--some--tiny-GGUF/refs/main", "c0ffee");
  auto f =
      run_ridgeline({"eval", "some/tiny-GGUF:F32", "-f", text_, "-c", "32", "--compare", "some/tiny-GGUF:F32", "-q"},
                    {.environment = {{"HF_HUB_CACHE", (folder_ / "hub").string()}}});
  EXPECT_EQ(f.status, 0) << f.err;
  EXPECT_NE(f.out.find("same most probable token  100.000"), f.out.npos) << f.out;
  auto missing = run_ridgeline({"eval", "some/other", "-f", text_},
                               {.environment = {{"HF_HUB_CACHE", (folder_ / "hub").string()}}});
  EXPECT_EQ(missing.status, 66);
  EXPECT_NE(missing.err.find("ridgeline pull some/other"), missing.err.npos) << missing.err;
}

TEST_F(EvalCommand, JsonHoldsTheSameNumbersAndEveryToken) {
  auto j = evaluate({tiny, "-f", text_, "-c", "32", "--stride", "8", "--all"});
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
  auto f = run_ridgeline({"eval", quantized, "-f", text_, "-c", "32", "--compare", "fp32", "--all"});
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

TEST_F(EvalCommand, AnswersMultipleChoice) {
  std::string lines;
  auto golden = nlohmann::json::parse(std::ifstream(data + "/goldens/eval.json"))["tiny_llama"]["choices"];
  for (const auto& g : golden) lines += g["line"].dump() + "\r\n\n";
  auto questions = file("questions", lines);
  auto j = evaluate({tiny, "--choices", questions, "--all", "--type", "f32", "--kv-type", "f32"});
  ASSERT_EQ(j["scores"].size(), golden.size());
  double right = 0;
  for (size_t i = 0; i < golden.size(); ++i) {
    EXPECT_EQ(j["scores"][i]["best"], golden[i]["best"]);
    EXPECT_EQ(j["scores"][i]["line"], 2 * i + 1);
    right += j["scores"][i]["best"] == j["scores"][i]["answer"];
  }
  EXPECT_EQ(j["acc"], right / static_cast<double>(golden.size()));
  EXPECT_EQ(evaluate({tiny, "--choices", questions, "--limit", "2"})["questions"], 2);
  auto f = run_ridgeline({"eval", tiny, "--choices", questions, "--all"});
  for (const char* part : {"acc_norm, per byte", "±", "by chance", "4 questions", "log likelihoods"})
    EXPECT_NE(f.out.find(part), f.out.npos) << part << "\n" << f.out;
}

TEST_F(EvalCommand, BadQuestionsAreNamedByTheirLine) {
  std::string good = R"({"question": "a", "choices": ["b", "c"], "answer": 1})"
                     "\n\n";
  struct Case {
    std::string line, says;
  };
  for (const Case& c : std::vector<Case>{
           {"{", "line 3 is not JSON"},
           {std::string(1 << 20, '['), "line 3: it is nested more than"},
           {"{\"question\": \"\xff\"}", "line 3 is not JSON"},
           {R"({"question": "a", "choices": ["b", "c"], "answer": 1e999})", "line 3 holds a number that is too large"},
           {R"({"question": "a", "question": "b", "choices": ["b", "c"], "answer": 1})", "the key \"question\" twice"},
           {"[]", "line 3: a question is an object"},
           {R"({"choices": ["b", "c"], "answer": 1})", "none of the keys question, query, context"},
           {R"({"question": "a", "query": "a", "choices": ["b", "c"], "answer": 1})", "more than one of the keys"},
           {R"({"question": 3, "choices": ["b", "c"], "answer": 1})", "must be a string, not number"},
           {R"({"question": "a", "choices": "bc", "answer": 1})", "a list of two strings"},
           {R"({"question": "a", "choices": ["b"], "answer": 0})", "a list of two strings"},
           {R"({"question": "a", "choices": ["b", null], "answer": 0})", "choice 1 must be a string"},
           {R"({"question": "a", "choices": ["b", ""], "answer": 0})", "choice 1 is empty"},
           {R"({"question": "a", "choices": ["b", "c"]})", "none of the keys answer, gold"},
           {R"({"question": "a", "choices": ["b", "c"], "answer": 2})", "0 to 1, not 2"},
           {R"({"question": "a", "choices": ["b", "c"], "gold": -1})", "0 to 1, not -1"},
           {R"({"question": "a", "choices": ["b", "c"], "gold": 18446744073709551615})", "0 to 1"},
           {R"({"question": "a", "choices": ["b", "c"], "gold": 1e300})", "0 to 1"},
           {R"({"question": "a", "choices": ["b", "c"], "gold": "B"})", "0 to 1, not \"B\""},
           {R"({"question": ")" + std::string(400, 'n') + R"(", "choices": ["b", "c"], "gold": 0})", "give -c"},
       }) {
    auto f = run_ridgeline({"eval", tiny, "--choices", file("bad", good + c.line + "\n")});
    EXPECT_EQ(f.status, 65) << c.says << ": " << f.err;
    EXPECT_NE(f.err.find(c.says), f.err.npos) << c.says << " is not in: " << f.err;
    EXPECT_NE(f.err.find("line 3"), f.err.npos) << f.err;
    EXPECT_EQ(f.out, "");
  }
  EXPECT_EQ(run_ridgeline({"eval", tiny, "--choices", file("blank", "\n \n")}).status, 65);
  EXPECT_EQ(run_ridgeline({"eval", tiny, "--choices", text_, "-f", text_}).status, 2);
  EXPECT_EQ(run_ridgeline({"eval", tiny, "--choices", text_, "--compare", "fp32"}).status, 2);
  EXPECT_EQ(run_ridgeline({"eval", tiny, "--choices", "/nowhere"}).status, 66);
}

}  // namespace
}  // namespace ridgeline
