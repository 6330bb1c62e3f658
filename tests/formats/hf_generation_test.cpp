#include <gtest/gtest.h>

#include "base/refused.h"
#include "formats/directory_image.h"
#include "formats/hf_directory.h"

namespace ridgeline {
namespace {

using Json = nlohmann::json;

TEST(GenerationConfig, is_read) {
  GenerationDefaults d = read_generation_config({{"eos_token_id", {1, 106}},
                                                 {"do_sample", true},
                                                 {"temperature", 0.6},
                                                 {"top_k", 64},
                                                 {"top_p", 0.9},
                                                 {"min_p", nullptr},
                                                 {"repetition_penalty", 1.05},
                                                 {"transformers_version", "4.50.0"}});
  EXPECT_EQ(d.eos, (std::vector<int32_t>{1, 106}));
  EXPECT_EQ(d.temperature, 0.6f);
  EXPECT_EQ(d.top_k, 64);
  EXPECT_EQ(d.top_p, 0.9f);
  EXPECT_EQ(d.min_p, std::nullopt);
  EXPECT_EQ(d.repetition_penalty, 1.05f);
  EXPECT_EQ(read_generation_config({{"eos_token_id", 2}}).eos, std::vector<int32_t>{2});
  EXPECT_EQ(read_generation_config({{"eos_token_id", 2}}).temperature, std::nullopt);
  EXPECT_EQ(read_generation_config({{"do_sample", false}, {"temperature", 0.7}}).temperature, 0.0f);
}

TEST(GenerationConfig, fields_of_another_type_are_named) {
  for (auto [field, value] : std::vector<std::pair<std::string, Json>>{{"eos_token_id", "2"},
                                                                       {"eos_token_id", -1},
                                                                       {"eos_token_id", 1ull << 40},
                                                                       {"eos_token_id", {1, 2.5}},
                                                                       {"temperature", "0.6"},
                                                                       {"temperature", -1},
                                                                       {"top_p", 1.5},
                                                                       {"top_k", -1},
                                                                       {"repetition_penalty", 0},
                                                                       {"do_sample", 1}})
    EXPECT_TRUE(refused(ExitCode::bad_data, "config_type", {field, "generation_config.json"},
                        [&] { read_generation_config({{field, value}}); }))
        << field << value;
  EXPECT_TRUE(refused(ExitCode::bad_data, "config_type", {}, [] { read_generation_config(Json::array()); }));
}

TEST(GenerationConfig, config_json_stands_in) {
  ScratchFolder folder;
  DirectoryImage image;
  image.config["eos_token_id"] = {3, 4};
  image.write(folder);
  EXPECT_EQ(open_checkpoint(folder.path())->generation_defaults().eos, (std::vector<int32_t>{3, 4}));
  folder.write("generation_config.json", R"({"eos_token_id":5})");
  EXPECT_EQ(open_checkpoint(folder.path())->generation_defaults().eos, std::vector<int32_t>{5});
  folder.write("generation_config.json", "{");
  EXPECT_TRUE(refused(ExitCode::bad_data, "config_json", {"generation_config.json"},
                      [&] { open_checkpoint(folder.path())->generation_defaults(); }));
}

}  // namespace
}  // namespace ridgeline
