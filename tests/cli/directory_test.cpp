// Hugging Face directories by every command that takes a model, as a user would name them.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/process.h"
#include "formats/directory_image.h"
#include "formats/model_image.h"
#include "formats/tokenizer_image.h"
#include "goldens.h"

namespace ridgeline {
namespace {

namespace fs = std::filesystem;

// tiny_llama3 as a directory that has a tokenizer too: byte-level byte pairs, the vocabulary of its GGUF file.
class ModelDirectory : public testing::Test {
 protected:
  ModelDirectory() {
    fs::copy(golden_directory("tiny_llama3") + "/model.safetensors", folder / "model.safetensors");
    auto config = nlohmann::json::parse(std::ifstream(golden_directory("tiny_llama3") + "/config.json"));
    config["dtype"] = "float32";  // for explain without weights
    folder.write("config.json", config.dump());
    folder.write("tokenizer.json", tokenizer_image().dump());
    folder.write("tokenizer_config.json", R"({"eos_token":"<|endoftext|>"})");
  }
  Finished answer(const std::string& model, std::vector<std::string> more = {"--temp", "0"}) {
    std::vector<std::string> all = {"run", model, "Hello the tin", "-n", "20", "-q"};
    all.insert(all.end(), more.begin(), more.end());
    return run_ridgeline(all);
  }
  ScratchFolder folder;
};

TEST_F(ModelDirectory, answers_as_its_gguf_file_does) {
  auto directory = answer(folder.path()), gguf = answer(golden_path("tiny_llama3"));
  EXPECT_EQ(directory.status, 0) << directory.err;
  EXPECT_EQ(directory.out, gguf.out);
  EXPECT_GT(directory.out.size(), 5u);
  EXPECT_EQ(answer(folder / "model.safetensors").out, gguf.out);
}

TEST_F(ModelDirectory, generation_config_is_the_default_of_sampling) {
  auto greedy = answer(folder.path());
  folder.write("generation_config.json", R"({"do_sample":false,"temperature":2.0})");
  EXPECT_EQ(answer(folder.path(), {"-s", "3"}).out, greedy.out);
  folder.write("generation_config.json", R"({"do_sample":true,"temperature":50.0,"top_k":0,"top_p":1.0,"min_p":0.0})");
  EXPECT_NE(answer(folder.path(), {"-s", "3"}).out, greedy.out);
  EXPECT_EQ(answer(folder.path(), {"-s", "3", "--temp", "0"}).out, greedy.out);  // what is given wins
  folder.write("generation_config.json", R"({"repetition_penalty":1.5})");
  EXPECT_EQ(
      answer(folder.path()).out,
      answer(golden_path("tiny_llama3"), {"--temp", "0", "--repeat-penalty", "1.5", "--repeat-last-n", "-1"}).out);
  EXPECT_NE(answer(folder.path()).out, greedy.out);
  EXPECT_EQ(answer(folder.path(), {"--temp", "0", "--repeat-penalty", "1"}).out, greedy.out);
  std::string all = "0";
  for (int i = 1; i < 101; ++i) all += "," + std::to_string(i);
  folder.write("generation_config.json", "{\"eos_token_id\":[" + all + "]}");
  EXPECT_EQ(answer(folder.path()).out, "\n");  // any token ends the text
  folder.write("generation_config.json", R"({"temperature":"hot"})");
  auto bad = answer(folder.path());
  EXPECT_EQ(bad.status, 65);
  EXPECT_NE(bad.err.find("temperature of generation_config.json"), bad.err.npos) << bad.err;
}

TEST_F(ModelDirectory, every_command_takes_it) {
  auto verify = [&](const std::string& model) {
    return nlohmann::json::parse(run_ridgeline({"verify", model, "--quick", "-t", "1", "--json"}).out)["logits_sha256"];
  };
  EXPECT_EQ(verify(folder.path()), verify(golden_path("tiny_llama3")));
  auto inspect = run_ridgeline({"inspect", folder.path(), "--tensors", "--metadata", "--json"});
  auto j = nlohmann::json::parse(inspect.out);
  EXPECT_EQ(j["format"], "safetensors");
  EXPECT_EQ(j["architecture"], "llama");
  EXPECT_EQ(j["config"]["head_dim"], 32);
  EXPECT_EQ(j["tokenizer"]["works"], true);
  EXPECT_EQ(j["tokenizer"]["tokens"], 101);
  EXPECT_EQ(j["metadata"]["model_type"], "llama");
  EXPECT_EQ(j["tensors"].size(), 20u);
  EXPECT_EQ(run_ridgeline({"inspect", folder.path(), "--tensors", "--metadata"}).status, 0);
  EXPECT_EQ(run_ridgeline({"bench", folder.path(), "-p", "8", "-n", "2", "-r", "1", "-t", "1"}).status, 0);
  EXPECT_EQ(run_ridgeline({"run", folder.path(), "x", "-n", "1", "-q", "--check-tensors"}).status, 0);
}

TEST_F(ModelDirectory, explain_needs_the_config_alone) {
  auto whole = run_ridgeline({"explain", folder.path(), "--batch", "8"});
  fs::remove(folder / "model.safetensors");
  for (std::string path : {folder.path(), folder / "config.json"}) {
    auto bare = run_ridgeline({"explain", path, "--batch", "8"});
    EXPECT_EQ(bare.status, 0) << bare.err;
    EXPECT_EQ(bare.out, whole.out);
  }
  auto run = answer(folder.path());
  EXPECT_EQ(run.status, 65);
  EXPECT_NE(run.err.find("holds no weights in safetensors"), run.err.npos) << run.err;
}

TEST_F(ModelDirectory, without_a_tokenizer_run_says_so) {
  fs::remove(folder / "tokenizer.json");
  auto run = answer(folder.path());
  EXPECT_EQ(run.status, 65);
  EXPECT_NE(run.err.find("no tokenizer"), run.err.npos) << run.err;
  EXPECT_EQ(run_ridgeline({"verify", folder.path(), "--quick", "-t", "1"}).status, 0);
}

// Row G26: a sparse file of a terabyte, whose header holds what it says.
TEST_F(ModelDirectory, a_terabyte_is_refused_before_memory_is_taken) {
  auto image = ModelImage::llama();
  constexpr uint64_t dim = 65'536, ffn = 327'680;
  image.whole("embedding_length", dim).whole("feed_forward_length", ffn);
  image.whole("attention.head_count", 128).whole("attention.head_count_kv", 128).whole("block_count", 3);
  image.tensor("token_embd.weight", {dim, 40}).tensor("output_norm.weight", {dim}).tensor("output.weight", {dim, 40});
  for (std::string layer : {"blk.0.", "blk.1.", "blk.2."}) {
    for (const char* name : {"attn_norm.weight", "ffn_norm.weight"}) image.tensor(layer + name, {dim});
    for (const char* name : {"attn_q.weight", "attn_k.weight", "attn_v.weight", "attn_output.weight"})
      image.tensor(layer + name, {dim, dim});
    image.tensor(layer + "ffn_gate.weight", {dim, ffn}).tensor(layer + "ffn_up.weight", {dim, ffn});
    image.tensor(layer + "ffn_down.weight", {ffn, dim});
  }
  std::string path = folder.write("large.gguf", image.header());
  std::error_code error;
  fs::resize_file(path, fs::file_size(path) + image.data_bytes(), error);
  if (error) GTEST_SKIP() << "no file system for a sparse file of " << image.data_bytes() << " bytes";
  ASSERT_GT(fs::file_size(path), 900ull << 30);

  auto run = run_ridgeline({"run", path, "x", "--raw"});
  EXPECT_EQ(run.status, 65) << run.err;  // it has no tokenizer ...
  auto bench = run_ridgeline({"bench", path, "-p", "8", "-n", "0"}, {.seconds = 10});
  EXPECT_EQ(bench.status, 69) << bench.err;
  for (const char* words : {"does not fit", "weights", "KV"})
    EXPECT_NE(bench.err.find(words), bench.err.npos) << bench.err;
  auto inspect = run_ridgeline({"inspect", path}, {.seconds = 10});
  EXPECT_EQ(inspect.status, 0) << inspect.err;
}

}  // namespace
}  // namespace ridgeline
