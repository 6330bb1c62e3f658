#include "instance/generate.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/scratch_folder.h"
#include "formats/tokenizer_image.h"
#include "goldens.h"

namespace ridgeline {
namespace {

// Row G33 of the bad-input catalogue: an embedding has more rows than the vocabulary has tokens.
TEST(Generate, NeverSamplesARowBeyondTheVocabulary) {
  constexpr int tokens = 50;
  ScratchFolder folder;
  for (const char* name : {"config.json", "model.safetensors"})
    std::filesystem::copy(golden_directory("tiny_llama3") + "/" + name, folder / name);
  nlohmann::json tokenizer = tokenizer_image(), &model = tokenizer["model"];
  model["merges"] = nlohmann::json::array();
  const nlohmann::json all = model["vocab"];
  for (const auto& [text, id] : all.items())
    if (id >= tokens) model["vocab"].erase(text);
  folder.write("tokenizer.json", tokenizer.dump());

  auto instance = Instance::open(folder.path(), {.threads = 1});
  ASSERT_EQ(instance->tokenizer().size(), tokens);
  ASSERT_GE(vocabulary_of(instance->config()), 2 * tokens);
  Conversation conversation(*instance);
  const std::vector<int32_t> prompt = {1, 2, 3};
  const GenerateOptions nearly_uniform = {
      .sampler = {.top_k = 0, .top_p = 1, .min_p = 0, .temperature = 100, .seed = 1}, .limit = 100, .ignore_eos = true};
  Generated g = generate(*instance, conversation, prompt, nearly_uniform, [](auto) {});
  EXPECT_EQ(g.tokens.size(), 100u);
  for (int32_t id : g.tokens) EXPECT_LT(id, tokens);
}

}  // namespace
}  // namespace ridgeline
