#include "hub/selection.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace ridgeline {
namespace {

std::vector<HubFile> files(std::initializer_list<const char*> names) {
  std::vector<HubFile> list;
  for (const char* name : names) list.push_back({name, 1, ""});
  return list;
}
// The model chosen; or the error's id.
std::string chosen(const std::vector<HubFile>& list, const std::string& tag) {
  try {
    return select_model(list, tag, "maker/model").model;
  } catch (const Error& e) { return e.id(); }
}

const auto usual = files({"config.json", "m-BF16.gguf", "m-IQ4_XS.gguf", "m-Q4_0.gguf", "m-Q4_K_M.gguf",
                          "m-Q4_K_S.gguf", "m-Q8_0.gguf", "mmproj-m-Q4_K_M.gguf", "m.imatrix.gguf"});

TEST(Selection, TheTagDecidesInAnyCase) {
  EXPECT_EQ(chosen(usual, "q8_0"), "m-Q8_0.gguf");
  EXPECT_EQ(chosen(usual, "bf16"), "m-BF16.gguf");
  EXPECT_EQ(chosen(usual, "IQ4_XS"), "m-IQ4_XS.gguf");
  EXPECT_EQ(chosen(usual, "Q4_K"), "no_such_tag");
  EXPECT_EQ(chosen(usual, "K_M"), "no_such_tag");
  EXPECT_EQ(chosen(usual, "F16"), "no_such_tag");
  EXPECT_EQ(chosen(files({"phi_q5_0.gguf", "phi_q4_0.gguf"}), "Q5_0"), "phi_q5_0.gguf");
  EXPECT_EQ(chosen(files({"phi.Q5_0.gguf", "phi.Q4_0.gguf"}), "Q5_0"), "phi.Q5_0.gguf");
}

TEST(Selection, WithoutATagTheUsualOne) {
  EXPECT_EQ(chosen(usual, ""), "m-Q4_K_M.gguf");
  EXPECT_EQ(chosen(files({"m-Q8_0.gguf", "m-Q4_1.gguf", "m-Q4_0.gguf"}), ""), "m-Q4_0.gguf");
  EXPECT_EQ(chosen(files({"m-Q8_0.gguf", "m-F16.gguf"}), ""), "m-F16.gguf");
}

TEST(Selection, AGuessIsNotMade) {
  auto two = files({"a-Q4_K_M.gguf", "b-Q4_K_M.gguf", "UD/a-UD-Q5_K_M.gguf", "a-Q5_K_M.gguf"});
  EXPECT_EQ(chosen(two, ""), "ambiguous_tag");
  EXPECT_EQ(chosen(two, "Q5_K_M"), "ambiguous_tag");
  EXPECT_EQ(chosen(two, "UD-Q5_K_M"), "UD/a-UD-Q5_K_M.gguf");
  try {
    select_model(two, "", "maker/model");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::usage);
    for (const char* name : {"a-Q4_K_M.gguf", "b-Q4_K_M.gguf", "--file"})
      EXPECT_NE(std::string_view(e.what()).find(name), std::string_view::npos) << e.what();
  }
}

TEST(Selection, SplitModelsAreOneModel) {
  auto split = files({"m-Q8_0-00002-of-00002.gguf", "m-Q8_0-00001-of-00002.gguf", "m-Q4_0-00001-of-00003.gguf",
                      "m-Q4_0-00003-of-00003.gguf", "m-00009-of-00002.gguf"});
  auto models = gguf_models(split);
  ASSERT_EQ(models.size(), 3u);
  auto s = select_model(split, "Q8_0", "maker/model");
  ASSERT_EQ(s.files.size(), 2u);
  EXPECT_EQ(s.model, "m-Q8_0-00001-of-00002.gguf");
  EXPECT_EQ(chosen(split, ""), "part_missing");
  auto named = select_files(split, {"m-Q8_0-00002-of-00002.gguf"}, "maker/model");
  EXPECT_EQ(named.files.size(), 2u);
  EXPECT_EQ(named.model, "m-Q8_0-00001-of-00002.gguf");
}

TEST(Selection, SafetensorsNeedTheirConfigAndEveryShard) {
  EXPECT_EQ(chosen(files({"model.safetensors"}), ""), "no_model");
  EXPECT_EQ(chosen(files({"config.json", "pytorch_model.bin"}), ""), "no_model");
  EXPECT_EQ(chosen(files({"config.json", "model-00001-of-00002.safetensors"}), ""), "part_missing");
  EXPECT_EQ(chosen(files({"config.json", "model.safetensors"}), "Q4_0"), "no_such_tag");
  EXPECT_EQ(chosen({}, ""), "no_model");
  EXPECT_EQ(select_model(files({"config.json", "model.safetensors", "adapter.safetensors"}), "", "x/y").files.size(),
            2u);
}

TEST(Selection, FilesByName) {
  EXPECT_EQ(select_files(usual, {"config.json", "m-Q8_0.gguf"}, "x/y").files.size(), 2u);
  EXPECT_THROW(select_files(usual, {"M-q8_0.gguf"}, "x/y"), Error);
}

}  // namespace
}  // namespace ridgeline
