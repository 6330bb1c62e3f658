#include "instance/inspection.h"

#include <gtest/gtest.h>

#include "formats/model_image.h"

namespace ridgeline {
namespace {

using namespace gguf_image;

std::string golden_path(const char* name) { return std::string(RIDGELINE_TEST_DATA "/goldens/") + name; }

TEST(Inspection, CountsWhatAFileHolds) {
  Inspection it = inspect(GgufFile::open(golden_path("tiny_llama_q8_0.gguf")));
  EXPECT_FALSE(it.refused);
  EXPECT_EQ(it.architecture, "llama");
  EXPECT_EQ(it.model->name, "tiny_llama_q8_0");
  // 101 x 64 twice, and per layer q and out 64 x 64, k and v 32 x 64, gate, up and down 96 x 64, norms 2 x 64; one
  // norm.
  EXPECT_EQ(it.parameters, 2 * 101 * 64 + 2 * (2 * 4096 + 2 * 2048 + 3 * 6144 + 128) + 64);
  ASSERT_EQ(it.types.size(), 2u);
  EXPECT_EQ(it.types[0].type, "Q8_0");
  EXPECT_EQ(std::tuple(it.types[0].tensors, it.types[0].elements, it.types[0].bytes),
            std::tuple(16, 74368, 74368 / 32 * 34));
  EXPECT_EQ(std::tuple(it.types[1].tensors, it.types[1].elements, it.types[1].bytes), std::tuple(5, 320, 1280));
  EXPECT_EQ(std::tuple(it.text.kind, it.text.pre, it.text.tokens), std::tuple("gpt2", "gpt-2", 101));
  EXPECT_TRUE(it.text.works);
  EXPECT_FALSE(it.text.chat_template);
}

TEST(Inspection, SaysWhatRunningTakes) {
  Inspection it = inspect(GgufFile::open(golden_path("tiny_llama_q8_0.gguf")));
  EXPECT_EQ(it.memory->kv_token, 2 * 2 * 2 * 16 * 2);  // layers, keys and values, heads, elements, bytes of a bf16
  EXPECT_GT(*it.memory->weights, 74368 / 32 * 34);
  EXPECT_EQ(it.memory->step_tokens, 256);  // its whole context
  EXPECT_GT(*it.memory->activations, 256 * 64 * 4);
  EXPECT_LT(*it.memory->activations, 256 * 4096 * 4);
}

TEST(Inspection, DescribesWhatDoesNotCompute) {
  constexpr uint32_t iq4_nl = 20;
  with_file(ModelImage::llama().tensor("blk.0.attn_q.weight", {64, 64}, iq4_nl).text(".tokenizer.ggml.model", "bert"),
            [](const GgufFile& file) {
              Inspection it = inspect(file);
              EXPECT_FALSE(it.refused);
              EXPECT_EQ(it.model->unsupported.size(), 1u);
              EXPECT_EQ(it.memory->kv_token, 256);
              EXPECT_FALSE(it.memory->weights || it.memory->activations);
              EXPECT_FALSE(it.text.works);
              ASSERT_EQ(it.warnings.size(), 1u);
              EXPECT_NE(it.warnings[0].find("\"bert\""), std::string::npos);
            });
}

TEST(Inspection, ShowsAsFarAsItGoes) {
  auto refusal = [](const ModelImage& image) {
    return with_file(image, [](const GgufFile& file) {
      Inspection it = inspect(file);
      EXPECT_GT(it.parameters, 0);
      return it.refused ? it.refused->id() : "";
    });
  };
  EXPECT_EQ(refusal(ModelImage::llama()), "");
  EXPECT_EQ(refusal(ModelImage::llama().text(".general.architecture", "mamba")), "unsupported_arch");
  EXPECT_EQ(refusal(ModelImage::llama().whole(".general.architecture", 7)), "gguf_key_type");
  EXPECT_EQ(refusal(ModelImage::llama().whole("block_count", 0)), "gguf_key_range");
  EXPECT_EQ(refusal(ModelImage::llama().text(".tokenizer.ggml.model", "gpt2").text(".tokenizer.ggml.pre", "gpt-2")),
            "gguf_key_missing");
}

TEST(Inspection, WarnsOfATemplateThatDoesNotCompile) {
  auto image = ModelImage::llama().text(".tokenizer.ggml.model", "gpt2").text(".tokenizer.ggml.pre", "gpt-2");
  image.texts(".tokenizer.ggml.tokens", {"a", "b", "ab"}).texts(".tokenizer.ggml.merges", {"a b"});
  for (const std::string& source : {std::string("{% if %}"), std::string("{{ '\xff' }}"), std::string(10 << 20, 'x')}) {
    image.text(".tokenizer.chat_template", source);
    with_file(image, [](const GgufFile& file) {
      Inspection it = inspect(file);
      EXPECT_FALSE(it.refused);
      EXPECT_TRUE(it.text.works);
      EXPECT_FALSE(it.text.chat_template);
      ASSERT_EQ(it.warnings.size(), 1u);
      EXPECT_NE(it.warnings[0].find("chat template"), std::string::npos);
    });
  }
}

}  // namespace
}  // namespace ridgeline
