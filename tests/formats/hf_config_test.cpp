// config.json to a family's config, by row S15 of the bad-input catalogue.
#include <gtest/gtest.h>

#include "base/refused.h"
#include "formats/directory_image.h"
#include "formats/hf_directory.h"
#include "models/gpt2.h"
#include "models/llama.h"

namespace ridgeline {
namespace {

using Json = nlohmann::json;
using Words = std::initializer_list<std::string_view>;

ModelDescription described(const Json& config) {
  ScratchFolder folder;
  folder.write("config.json", config.dump());
  return read_model_config(*open_checkpoint(folder.path(), Weightless::allowed));
}
Json with(const std::string& field, Json value) {
  Json config = DirectoryImage().config;
  config[field] = std::move(value);
  return config;
}
LlamaConfig llama(const std::string& field, Json value) {
  return *described(with(field, std::move(value))).config.as<LlamaConfig>();
}
::testing::AssertionResult bad(const Json& config, std::string_view id, Words words) {
  return refused(ExitCode::bad_data, id, words, [&] { described(config); });
}

TEST(HfConfig, S15_numbers_of_another_type) {
  for (const char* field : {"num_hidden_layers", "hidden_size", "vocab_size", "num_attention_heads", "head_dim"})
    for (Json value : {Json("64"), Json(64.5), Json(true), Json(Json::array({64})), Json(Json::object())})
      EXPECT_TRUE(bad(with(field, value), "config_type", {field, "whole number"})) << field << value;
  EXPECT_TRUE(bad(with("rms_norm_eps", "1e-5"), "config_type", {"rms_norm_eps", "the text \"1e-5\""}));
  EXPECT_TRUE(bad(with("rope_theta", "10000"), "config_type", {"rope_theta"}));
  EXPECT_TRUE(bad(with("tie_word_embeddings", 1), "config_type", {"tie_word_embeddings"}));
  EXPECT_TRUE(bad(with("hidden_act", 1), "config_type", {"hidden_act"}));
}

TEST(HfConfig, S15_numbers_out_of_range) {
  for (Json value : {Json(1'000'000'000), Json(0), Json(-1), Json(UINT64_MAX)})
    EXPECT_TRUE(bad(with("num_hidden_layers", value), "config_range", {"num_hidden_layers", "1 to 1024"})) << value;
  EXPECT_TRUE(bad(with("rms_norm_eps", 0), "config_range", {"rms_norm_eps"}));
  EXPECT_TRUE(bad(with("rms_norm_eps", -1e-5), "config_range", {"rms_norm_eps"}));
  EXPECT_TRUE(bad(with("rope_theta", 0), "config_range", {"rope_theta"}));
  EXPECT_TRUE(bad(with("num_key_value_heads", 3), "config_range", {"num_attention_heads 4", "num_key_value_heads 3"}));
  EXPECT_TRUE(bad(with("hidden_size", 66), "config_range", {"hidden_size 66", "num_attention_heads 4"}));
  EXPECT_TRUE(bad(with("max_position_embeddings", 0), "config_range", {"max_position_embeddings"}));
}

TEST(HfConfig, S15_fields_that_are_missing_or_null) {
  for (const char* field : {"num_hidden_layers", "hidden_size", "intermediate_size", "vocab_size",
                            "num_attention_heads", "max_position_embeddings", "rms_norm_eps"}) {
    EXPECT_TRUE(bad(with(field, nullptr), "config_missing", {field})) << field;
    Json config = DirectoryImage().config;
    config.erase(field);
    EXPECT_TRUE(bad(config, "config_missing", {field})) << field;
  }
  EXPECT_EQ(llama("head_dim", nullptr).head_dim, 16);
  EXPECT_EQ(llama("num_key_value_heads", nullptr).kv_heads, 4);
  EXPECT_EQ(llama("sliding_window", nullptr).window, 0);
  EXPECT_EQ(llama("tie_word_embeddings", nullptr).tied, false);
  EXPECT_EQ(llama("rope_theta", nullptr).rope_base, 10000);
  EXPECT_EQ(llama("rope_scaling", nullptr).rope_factors.size(), 0u);
}

TEST(HfConfig, S15_types_of_weights) {
  for (const char* field : {"torch_dtype", "dtype"}) {
    EXPECT_TRUE(bad(with(field, "float7"), "config_range", {field, "\"float7\"", "bfloat16"}));
    EXPECT_TRUE(bad(with(field, 16), "config_type", {field}));
    for (const char* type : {"float32", "float16", "bfloat16", "auto"}) EXPECT_NO_THROW(described(with(field, type)));
  }
}

TEST(HfConfig, S15_texts_that_are_no_config) {
  ScratchFolder folder;
  auto text = [&](const std::string& config, std::string_view id, Words words) {
    folder.write("config.json", config);
    return refused(ExitCode::bad_data, id, words, [&] { open_checkpoint(folder.path(), Weightless::allowed); });
  };
  EXPECT_TRUE(text("[]", "config_json", {"not an object"}));
  EXPECT_TRUE(text("", "config_json", {"config.json"}));
  EXPECT_TRUE(text("{\"a\":" + std::string(10'000, '['), "config_json", {"nested"}));
  EXPECT_TRUE(text("{\"a\":1,\"a\":2}", "config_json", {"\"a\" twice"}));
}

TEST(HfConfig, families) {
  EXPECT_TRUE(bad(with("model_type", "bert"), "unsupported_arch", {"\"bert\"", "llama", "mistral", "gpt2"}));
  EXPECT_TRUE(bad(with("model_type", nullptr), "unsupported_arch", {"missing"}));
  EXPECT_TRUE(bad(with("model_type", "\x1b[2J"), "unsupported_arch", {"\\x1b"}));
  EXPECT_TRUE(bad(with("num_local_experts", 8), "unsupported_model", {"8 experts"}));
  EXPECT_TRUE(bad(with("hidden_act", "gelu"), "unsupported_model", {"hidden_act", "gelu"}));
  EXPECT_TRUE(bad(with("quantization_config", {{"quant_method", "gptq"}}), "unsupported_model", {"gptq"}));
  Json mistral = with("model_type", "mistral");
  mistral["sliding_window"] = 32;
  EXPECT_EQ(described(mistral).config.as<LlamaConfig>()->window, 32);
}

TEST(HfConfig, text_parts) {
  Json whole = {{"model_type", "some_vision_model"}, {"text_config", DirectoryImage().config}, {"vocab_size", 7}};
  EXPECT_EQ(vocabulary_of(described(whole).config), 40);
  whole["text_config"].erase("vocab_size");
  EXPECT_EQ(vocabulary_of(described(whole).config), 7);  // what the part does not say
}

TEST(HfConfig, rotary_positions_before_transformers_5) {
  for (const char* type : {"rope_type", "type"}) {
    EXPECT_TRUE(llama("rope_scaling", {{type, "default"}}).rope_factors.empty());
    EXPECT_EQ(llama("rope_scaling", {{type, "linear"}, {"factor", 4}}).rope_factors, std::vector<float>(8, 4));
    EXPECT_TRUE(
        bad(with("rope_scaling", {{type, "yarn"}, {"factor", 4}}), "unsupported_model", {"\"yarn\"", "llama3"}));
    EXPECT_TRUE(bad(with("rope_scaling", {{type, "dynamic"}, {"factor", 4}}), "unsupported_model", {"dynamic"}));
  }
  Json llama3 = {{"rope_type", "llama3"},
                 {"factor", 8},
                 {"low_freq_factor", 1},
                 {"high_freq_factor", 4},
                 {"original_max_position_embeddings", 64}};
  EXPECT_EQ(llama("rope_scaling", llama3).rope_factors, llama3_rope_factors(16, 10000, 8, 1, 4, 64));
  EXPECT_TRUE(bad(with("rope_scaling", {{"type", "linear"}}), "config_missing", {"factor"}));
  EXPECT_TRUE(bad(with("rope_scaling", {{"type", "linear"}, {"factor", "4"}}), "config_type", {"factor"}));
  EXPECT_TRUE(bad(with("rope_scaling", {{"type", "linear"}, {"factor", 0}}), "config_range", {"factor"}));
  llama3["high_freq_factor"] = 1;
  EXPECT_TRUE(bad(with("rope_scaling", llama3), "config_range", {"low_freq_factor"}));
  EXPECT_TRUE(bad(with("rope_scaling", "linear"), "config_type", {"rope_scaling"}));
  EXPECT_TRUE(bad(with("rope_scaling", {{"type", 7}}), "config_type", {"rope_type"}));
  EXPECT_TRUE(bad(with("partial_rotary_factor", 0.5), "unsupported_model", {"partial_rotary_factor"}));
}

TEST(HfConfig, rotary_positions_since_transformers_5) {
  LlamaConfig c = llama("rope_parameters", {{"rope_type", "linear"}, {"factor", 2}, {"rope_theta", 500000.0}});
  EXPECT_EQ(c.rope_base, 500000);
  EXPECT_EQ(c.rope_factors, std::vector<float>(8, 2));
  EXPECT_TRUE(bad(with("rope_parameters", {{"partial_rotary_factor", 0.5}}), "unsupported_model", {"8 of the 16"}));
  EXPECT_TRUE(bad(with("rope_parameters", {{"rope_theta", "x"}}), "config_type", {"rope_theta"}));
}

TEST(HfConfig, gpt2) {
  Json config = {{"model_type", "gpt2"}, {"n_layer", 2},  {"n_embd", 64},     {"n_head", 4},
                 {"n_positions", 32},    {"n_inner", {}}, {"vocab_size", 40}, {"layer_norm_epsilon", 1e-5}};
  Gpt2Config c = *described(config).config.as<Gpt2Config>();
  EXPECT_EQ(std::tuple(c.layers, c.dim, c.heads, c.ffn, c.vocab, c.context, c.tied),
            std::tuple(2, 64, 4, 256, 40, 32, true));
  config["n_inner"] = 96;
  EXPECT_EQ(described(config).config.as<Gpt2Config>()->ffn, 96);
  config["activation_function"] = "relu";
  EXPECT_TRUE(bad(config, "unsupported_model", {"relu"}));
}

}  // namespace
}  // namespace ridgeline
