// tokenizer_config.json: its tokens, its templates, and shapes that it cannot have.
#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/tokenizer_image.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"

namespace ridgeline {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
TokenizerConfig config_of(std::string_view text) { return read_tokenizer_config(bytes_of(text)); }

TEST(TokenizerConfig, ReadsTokensAsTextAndAsObjects) {
  const TokenizerConfig config =
      config_of(R"({"bos_token": "<s>", "eos_token": {"content": "<|endoftext|>", "lstrip": false},
      "unk_token": null, "add_bos_token": true, "chat_template": "{{ x }}", "model_max_length": 1e30})");
  EXPECT_EQ(config.bos_token, "<s>");
  EXPECT_EQ(config.eos_token, "<|endoftext|>");
  EXPECT_EQ(config.unk_token, std::nullopt);
  EXPECT_EQ(config.pad_token, std::nullopt);
  EXPECT_EQ(config.add_bos_token, true);
  EXPECT_EQ(config.chat_template(), "{{ x }}");

  Vocabulary v = read_tokenizer_json(bytes_of(tokenizer_image().dump()));
  EXPECT_FALSE(v.bos || v.eos);
  apply(config, v);
  EXPECT_EQ(v.eos, 0);
  EXPECT_EQ(v.bos, std::nullopt);  // its text is no token
  EXPECT_TRUE(Tokenizer(v).is_end_of_generation(0));
  EXPECT_FALSE(Tokenizer(v).add_bos());
  v.ends = {3};
  EXPECT_TRUE(Tokenizer(v).is_end_of_generation(3));
  v.ends = {999};
  EXPECT_THROW(Tokenizer{v}, Error);
}

TEST(TokenizerConfig, ChoosesAmongNamedTemplates) {
  const char* list =
      R"({"chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]})";
  EXPECT_EQ(config_of(list).chat_template(), "d");
  EXPECT_EQ(config_of(list).chat_templates.at("tool_use"), "t");
  EXPECT_EQ(config_of(R"({"chat_template": [{"name": "x", "template": "only"}]})").chat_template(), "only");
  EXPECT_EQ(config_of(R"({"chat_template": [{"name": "x", "template": "1"}, {"name": "y", "template": "2"}]})")
                .chat_template(),
            std::nullopt);
  EXPECT_EQ(config_of(R"({"chat_template": null})").chat_template(), std::nullopt);
  EXPECT_EQ(config_of("{}").chat_template(), std::nullopt);
}

TEST(TokenizerConfig, RefusesOtherShapes) {
  for (const char* text :
       {"[]", "{", R"({"bos_token": 1})", R"({"bos_token": {"text": "x"}})", R"({"eos_token": ["x"]})",
        R"({"pad_token": {"content": 2}})", R"({"add_bos_token": "yes"})", R"({"add_bos_token": 1})",
        R"({"chat_template": 1})", R"({"chat_template": {"name": "x"}})", R"({"chat_template": ["x"]})",
        R"({"chat_template": [{"name": "x"}]})", R"({"chat_template": [{"name": 1, "template": "x"}]})",
        R"({"chat_template": [{"name": "x", "template": "1"}, {"name": "x", "template": "2"}]})",
        R"({"a": 1, "a": 1})"}) {
    try {
      config_of(text);
      ADD_FAILURE() << "not refused: " << text;
    } catch (const Error& e) { EXPECT_EQ(e.id(), "bad_json") << text; }
  }
}

}  // namespace
}  // namespace ridgeline
