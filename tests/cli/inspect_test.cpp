#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/scratch_folder.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "formats/model_image.h"

namespace ridgeline {
namespace {

std::string golden_path(const char* name) { return std::string(RIDGELINE_TEST_DATA "/goldens/") + name; }

TEST(Inspect, ShowsAModel) {
  auto r = run_command(add_inspect, "inspect " + golden_path("tiny_llama_q8_0.gguf"));
  EXPECT_EQ(r.code, 0) << r.error;
  for (auto words : {"tiny_llama_q8_0   llama   74,688 parameters   83.90 kB on disk",
                     "2 layers of 64, 4 heads of 16 (2 for keys and values), feed-forward 96\n",
                     "trained for 256 tokens of context, vocabulary of 101", "KV cache, each token", "256 B",
                     "Q8_0       16    74,368", "gpt2, pre-tokenizer gpt-2, 101 tokens", "chat template  no"})
    EXPECT_NE(r.out.find(words), std::string::npos) << words << "\nis not in\n" << r.out;
  EXPECT_EQ(r.out.find("output_norm"), std::string::npos);
}

TEST(Inspect, ListsTensorsAndMetadata) {
  auto r = run_command(add_inspect, "inspect --tensors --metadata " + golden_path("tiny_gpt2.gguf"));
  EXPECT_EQ(r.code, 0) << r.error;
  for (auto words :
       {"blk.1.attn_qkv.weight", "64 x 192", "gpt2.attention.head_count", "STRING[101]", "[\"<|endoftext|>\", \"!\""})
    EXPECT_NE(r.out.find(words), std::string::npos) << words << "\nis not in\n" << r.out;
}

TEST(Inspect, SpeaksJson) {
  auto r = run_command(add_inspect, "inspect --json --tensors --metadata " + golden_path("tiny_llama3.gguf"));
  auto j = nlohmann::json::parse(r.out);
  EXPECT_EQ(j["name"], "tiny_llama3");
  EXPECT_EQ(j["config"]["head_dim"], 32);
  EXPECT_EQ(j["config"]["rope_factors"].size(), 16u);
  EXPECT_EQ(j["memory"]["kv_bytes_per_token"], 512);
  EXPECT_EQ(j["tensors"].size(), 21u);
  EXPECT_EQ(j["tensors"][0]["name"], "rope_freqs.weight");
  EXPECT_EQ(j["metadata"]["llama.context_length"], 1024);
  EXPECT_EQ(j["metadata"]["tokenizer.ggml.tokens"]["count"], 101);
  EXPECT_TRUE(j["error"].is_null());
}

TEST(Inspect, ShowsWhatCannotRun) {
  ScratchFolder folder;
  constexpr uint32_t iq4_nl = 20;
  auto image = ModelImage::llama().tensor("blk.0.attn_q.weight", {64, 64}, iq4_nl).text(".general.name", "\x1b[2J\xff");
  auto r = run_command(add_inspect, "inspect --tensors " + folder.write("m.gguf", image.bytes()));
  EXPECT_EQ(r.code, 0) << r.error;
  for (auto words :
       {"IQ4_NL", "does not compute here", "1 of the weights", "blk.0.attn_q.weight (IQ4_NL, 64 x 64)", "cannot run\n"})
    EXPECT_NE(r.out.find(words), std::string::npos) << words << "\nis not in\n" << r.out;

  std::string path = folder.write("mamba.gguf", image.text(".general.architecture", "mamba\x1b").bytes());
  r = run_command(add_inspect, "inspect --metadata " + path);
  EXPECT_EQ(r.code, 65);
  EXPECT_NE(r.error.find("expected one of: "), std::string::npos);
  EXPECT_NE(r.out.find("llama.block_count"), std::string::npos) << r.out;  // it was shown all the same
  EXPECT_EQ(r.out.find('\x1b'), std::string::npos);
  r = run_command(add_inspect, "inspect --json --metadata " + path);
  EXPECT_EQ(nlohmann::json::parse(r.out)["error"]["id"], "unsupported_arch");
}

TEST(Inspect, RefusesWhatIsNoModelFile) {
  ScratchFolder folder;
  EXPECT_EQ(run_command(add_inspect, "inspect").code, 2);
  EXPECT_EQ(run_command(add_inspect, "inspect " + folder.path()).code, 66);
  EXPECT_EQ(run_command(add_inspect, "inspect " + (folder / "nothing.gguf")).code, 66);
  EXPECT_EQ(run_command(add_inspect, "inspect " + folder.write("x.gguf", "GGML")).code, 65);
}

}  // namespace
}  // namespace ridgeline
