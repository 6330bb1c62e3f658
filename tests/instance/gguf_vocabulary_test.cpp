#include "instance/gguf_vocabulary.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/refused.h"
#include "base/scratch_folder.h"
#include "formats/model_image.h"
#include "formats/synthetic.h"
#include "instance/instance.h"
#include "text/chat_template.h"

namespace ridgeline {
namespace {

using namespace gguf_image;

// Four tokens and a merge.
ModelImage image() {
  return ModelImage::llama()
      .text(".tokenizer.ggml.model", "gpt2")
      .text(".tokenizer.ggml.pre", "gpt-2")
      .texts(".tokenizer.ggml.tokens", {"a", "b", "ab", "<end>"})
      .numbers<int32_t>(".tokenizer.ggml.token_type", I32, {1, 1, 1, 3})
      .texts(".tokenizer.ggml.merges", {"a b"});
}
Vocabulary vocabulary(const ModelImage& i) { return with_file(i, read_vocabulary); }

// Refused by the reading, or by the tokenizer that it is for.
::testing::AssertionResult refused_as(std::string_view id, std::initializer_list<std::string_view> words,
                                      const ModelImage& i) {
  return refused(ExitCode::bad_data, id, words, [&] { Tokenizer tokenizer(vocabulary(i)); });
}

TEST(GgufVocabulary, ReadsEveryKey) {
  auto id = [](const char* name) { return std::string(".tokenizer.ggml.") + name + "_token_id"; };
  auto i =
      image().whole(id("bos"), 3).whole(id("eos"), 2).whole(id("eot"), 1).whole(id("eom"), 0).whole(id("unknown"), 3);
  i.entry(id("padding"), I32, raw<int32_t>(2))
      .flag(".tokenizer.ggml.add_bos_token", true)
      .flag(".tokenizer.ggml.add_space_prefix", true);
  Vocabulary v = vocabulary(i);
  EXPECT_EQ(std::tuple(v.model, v.pre), std::tuple("gpt2", "gpt-2"));
  EXPECT_EQ(v.tokens, (std::vector<std::string>{"a", "b", "ab", "<end>"}));
  EXPECT_EQ(v.types, (std::vector<int32_t>{1, 1, 1, 3}));
  EXPECT_EQ(v.merges, std::vector<std::string>{"a b"});
  EXPECT_EQ(std::tuple(v.bos, v.eos, v.eot, v.eom, v.unk, v.pad), std::tuple(3, 2, 1, 0, 3, 2));
  EXPECT_EQ(std::tuple(v.add_bos, v.add_space_prefix), std::tuple(true, true));
}

TEST(GgufVocabulary, LeavesOutWhatIsMissing) {
  Vocabulary v = vocabulary(image().without("tokenizer.ggml.token_type"));
  EXPECT_TRUE(v.types.empty());
  EXPECT_FALSE(v.bos || v.eos || v.eot || v.eom || v.unk || v.pad || v.add_bos || v.add_space_prefix);
  EXPECT_EQ(Tokenizer(v).encode("ab", SpecialTokens::parse), std::vector<int32_t>{2});
}

TEST(GgufVocabulary, GuessesThePreTokenizerOfGpt2Alone) {
  EXPECT_TRUE(
      refused_as("unsupported_pretokenizer", {"tokenizer.ggml.pre is missing"}, image().without("tokenizer.ggml.pre")));
  auto gpt2 = ModelImage::gpt2()
                  .text(".tokenizer.ggml.model", "gpt2")
                  .texts(".tokenizer.ggml.tokens", {"a"})
                  .texts(".tokenizer.ggml.merges", {});
  EXPECT_EQ(vocabulary(gpt2).pre, "gpt-2");
}

TEST(GgufVocabulary, RefusesOtherKinds) {
  for (auto kind : {"bert", "t5", "rwkv", ""})
    EXPECT_TRUE(refused_as("unsupported_tokenizer", {std::string("\"") + kind + "\"", "not supported"},
                           image().text(".tokenizer.ggml.model", kind)));
  EXPECT_TRUE(refused_as("unsupported_pretokenizer", {"bloom"}, image().text(".tokenizer.ggml.pre", "bloom")));
  for (auto key : {"model", "tokens", "merges"})
    EXPECT_TRUE(refused_as("gguf_key_missing", {key}, image().without(std::string("tokenizer.ggml.") + key)));
}

TEST(GgufVocabulary, ReadsPiecesAndTheirScores) {
  const std::string scores = ".tokenizer.ggml.scores";
  auto pieces = image().without("tokenizer.ggml.merges").without("tokenizer.ggml.pre");
  pieces.text(".tokenizer.ggml.model", "llama");
  EXPECT_TRUE(refused_as("gguf_key_missing", {"scores"}, pieces));
  pieces.numbers<float>(scores, gguf_image::F32, {-1, -2, -0.5f, 0});
  Vocabulary v = vocabulary(pieces);
  EXPECT_EQ(v.scores, (std::vector<float>{-1, -2, -0.5f, 0}));
  EXPECT_EQ(v.add_space_prefix, std::nullopt);
  EXPECT_EQ(vocabulary(ModelImage(pieces).flag(".tokenizer.ggml.add_space_prefix", false)).add_space_prefix, false);
  EXPECT_EQ(Tokenizer(v).encode("ab", SpecialTokens::parse), std::vector<int32_t>{2});
  EXPECT_TRUE(refused_as("bad_vocabulary", {"4 tokens but 2 scores"},
                         ModelImage(pieces).numbers<float>(scores, gguf_image::F32, {0, 0})));
  EXPECT_TRUE(refused_as("gguf_key_type", {"scores"}, ModelImage(pieces).numbers<int8_t>(scores, I8, {0, 0, 0, 0})));
  EXPECT_TRUE(refused_as("bad_vocabulary", {"token 1", "score"},
                         ModelImage(pieces).numbers<float>(scores, gguf_image::F32, {0, NAN, 0, 0})));
}

TEST(GgufVocabulary, RefusesArraysThatDoNotFit) {
  const std::string tokens = ".tokenizer.ggml.tokens", types = ".tokenizer.ggml.token_type",
                    scores = ".tokenizer.ggml.scores", merges = ".tokenizer.ggml.merges";
  EXPECT_TRUE(refused_as("gguf_key_type", {"tokens"}, image().numbers<int32_t>(tokens, I32, {1, 2, 3, 4})));
  EXPECT_TRUE(refused_as("gguf_key_type", {"tokens"}, image().text(tokens, "a")));
  EXPECT_TRUE(refused_as("gguf_key_type", {"token_type", "INT8"}, image().numbers<int8_t>(types, I8, {1, 1, 1, 3})));
  EXPECT_TRUE(refused_as("gguf_key_type", {"token_type"}, image().whole(types, 1)));
  EXPECT_TRUE(refused_as("bad_vocabulary", {"4 tokens", "3"}, image().numbers<int32_t>(types, I32, {1, 1, 3})));
  EXPECT_TRUE(refused_as("gguf_key_type", {"scores"}, image().numbers<int8_t>(scores, I8, {0, 0, 0, 0})));
  EXPECT_TRUE(refused_as("bad_vocabulary", {"scores"}, image().numbers<float>(scores, gguf_image::F32, {0, 0})));
  EXPECT_NO_THROW(vocabulary(image().numbers<float>(scores, gguf_image::F32, {0, 0, 0, 0})));
  EXPECT_TRUE(refused_as("bad_vocabulary", {"merge 0"}, image().texts(merges, {"a x"})));
  EXPECT_TRUE(refused_as("bad_vocabulary", {"merge 0"}, image().texts(merges, {"ab"})));
  EXPECT_TRUE(refused_as("bad_vocabulary", {"merge 0"}, image().texts(merges, {"a b b"})));
  EXPECT_TRUE(refused_as("bad_vocabulary", {"tokens 0 and 1"}, image().texts(tokens, {"a", "a", "ab", "<end>"})));
  EXPECT_TRUE(refused_as("bad_vocabulary", {"UTF-8"}, image().texts(tokens, {"a", "b", "ab", "\xff"})));
  auto many = ModelImage(image()).entry(merges, ARRAY, array(STRING, 10'000'000, std::string(80'000'000, '\0')));
  EXPECT_TRUE(refused_as("bad_vocabulary", {"10000000", "merges"}, many));
  many = ModelImage(image()).entry(tokens, ARRAY, array(STRING, 5'000'000, std::string(40'000'000, '\0')));
  EXPECT_TRUE(refused_as("bad_vocabulary", {"5000000", "tokens"}, many));
}

TEST(GgufVocabulary, NamesItsFileWhenAModelIsOpened) {
  ScratchFolder folder;
  const std::string path = folder / "m.gguf";
  std::ofstream(path, std::ios::binary) << image().texts(".tokenizer.ggml.merges", {"a x"}).bytes();
  EXPECT_TRUE(refused(ExitCode::bad_data, "bad_vocabulary", {"cannot load " + path, "merge 0"},
                      [&] { Instance::open(path, {}); }));
}

TEST(GgufVocabulary, RefusesIdsOutOfRange) {
  for (auto name : {"bos", "eos", "unknown", "padding", "eot", "eom"}) {
    std::string key = std::string(".tokenizer.ggml.") + name + "_token_id";
    EXPECT_TRUE(refused_as("bad_vocabulary", {name}, image().whole(key, 4))) << name;
    EXPECT_TRUE(refused_as("bad_vocabulary", {name}, image().whole(key, 0xFFFFFFFF))) << name;
    EXPECT_TRUE(refused_as("bad_vocabulary", {name}, image().entry(key, I32, raw<int32_t>(-1)))) << name;
    EXPECT_TRUE(refused_as("gguf_key_range", {name}, image().entry(key, U64, raw<uint64_t>(1ull << 63)))) << name;
    EXPECT_TRUE(refused_as("gguf_key_type", {name}, image().text(key, "2"))) << name;
  }
}

TEST(GgufVocabulary, ReadsTheChatTemplate) {
  EXPECT_EQ(with_file(image(), read_chat_template), std::nullopt);
  EXPECT_EQ(with_file(image().text(".tokenizer.chat_template", ""), read_chat_template), std::nullopt);
  EXPECT_EQ(with_file(image().text(".tokenizer.chat_template", "{{ x }}"), read_chat_template), "{{ x }}");
}

// The vocabulary of a synthetic model encodes any text, in fewer tokens where it knows the words, and chats.
TEST(GgufVocabulary, OfASyntheticModelIsUsable) {
  ScratchFolder folder;
  Team team(1);
  write_synthetic(folder / "m.gguf",
                  {"small", Gpt2Config{.layers = 1, .dim = 32, .heads = 1, .vocab = 20000, .context = 32}}, team);
  GgufFile file = GgufFile::open(folder / "m.gguf");
  Tokenizer tokenizer(read_vocabulary(file));
  EXPECT_EQ(tokenizer.size(), 20000);
  std::string every;
  for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
  for (std::string text : {std::string("Hello, w\xc3\xb6rld!\n\t 42"), every})
    EXPECT_EQ(tokenizer.decode_bytes(tokenizer.encode(text, SpecialTokens::as_text)), text);
  EXPECT_EQ(tokenizer.encode("baki baki ba", SpecialTokens::as_text).size(), 3u);

  ChatTemplate chat(*read_chat_template(file));
  auto ids = encode_chat(tokenizer, chat, std::vector<Message>{{"user", "baki"}}, true);
  EXPECT_EQ(tokenizer.decode(ids), "<|im_start|>user\nbaki<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(tokenizer.token_text(ids.front()), "<|im_start|>");
  EXPECT_TRUE(tokenizer.is_end_of_generation(*tokenizer.find("<|im_end|>")));
  EXPECT_TRUE(tokenizer.is_end_of_generation(*tokenizer.find("<|endoftext|>")));
}

}  // namespace
}  // namespace ridgeline
