#include "formats/gguf.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "base/refused.h"
#include "model_image.h"
#include "ops/attention.h"

namespace ridgeline {
namespace {

using namespace gguf_image;

// describe_model without `unsupported`, which points into the file.
ModelDescription described(const ModelImage& image) {
  return with_file(image, [](const GgufFile& file) {
    ModelDescription model = describe_model(file);
    model.unsupported.clear();
    return model;
  });
}
LlamaConfig llama(const ModelImage& image) { return *described(image).config.as<LlamaConfig>(); }

::testing::AssertionResult refused_as(std::string_view id, std::initializer_list<std::string_view> words,
                                      const ModelImage& image) {
  return refused(ExitCode::bad_data, id, words,
                 [&] { with_file(image, [](const GgufFile& f) { read_model_config(f); }); });
}

std::vector<std::string> golden_files() {
  std::vector<std::string> paths;
  for (const auto& e : std::filesystem::directory_iterator(RIDGELINE_TEST_DATA "/goldens"))
    if (e.path().extension() == ".gguf") paths.push_back(e.path());
  return paths;
}

TEST(GgufConfig, AcceptsTheGoldens) {
  auto paths = golden_files();
  EXPECT_GE(paths.size(), 9u);
  for (const auto& path : paths) {
    GgufFile file = GgufFile::open(path);
    ModelDescription model = read_model_config(file);
    EXPECT_EQ(model.name, std::filesystem::path(path).stem().string());
    EXPECT_EQ(model.warnings, std::vector<std::string>()) << path;
    EXPECT_EQ(vocabulary_of(model.config), 101);
    EXPECT_GE(layers_of(model.config), 2);
  }
}

TEST(GgufConfig, ReadsLlama) {
  LlamaConfig c = llama(ModelImage::llama());
  EXPECT_EQ(std::tuple(c.layers, c.dim, c.heads, c.kv_heads, c.head_dim, c.ffn), std::tuple(2, 64, 4, 2, 16, 96));
  EXPECT_EQ(std::tuple(c.vocab, c.context, c.window, c.tied), std::tuple(40, 128, 0, false));
  EXPECT_EQ(std::tuple(c.eps, c.rope_base, c.rope_factors.size()), std::tuple(1e-5f, 10000.0f, 0u));
}

TEST(GgufConfig, ReadsWhatVariesAmongLlamas) {
  EXPECT_TRUE(llama(ModelImage::llama().without("output.weight")).tied);
  EXPECT_EQ(llama(ModelImage::llama().real("rope.freq_base", 500000)).rope_base, 500000);
  EXPECT_EQ(llama(ModelImage::llama().whole("attention.sliding_window", 8)).window, 8);
  // Heads for keys and values default to all; heads need not fill the width.
  auto all = ModelImage::llama().without("attention.head_count_kv");
  for (std::string layer : {"blk.0.", "blk.1."})
    all.tensor(layer + "attn_k.weight", {64, 64}).tensor(layer + "attn_v.weight", {64, 64});
  EXPECT_EQ(llama(all).kv_heads, 4);
  auto wide = ModelImage::llama()
                  .whole("attention.key_length", 32)
                  .whole("attention.value_length", 32)
                  .whole("rope.dimension_count", 32);
  for (std::string layer : {"blk.0.", "blk.1."}) {
    wide.tensor(layer + "attn_q.weight", {64, 128}).tensor(layer + "attn_output.weight", {128, 64});
    wide.tensor(layer + "attn_k.weight", {64, 64}).tensor(layer + "attn_v.weight", {64, 64});
  }
  EXPECT_EQ(llama(wide).head_dim, 32);
  // Arrays for each layer, where the layers are alike; integers of any width.
  EXPECT_EQ(llama(ModelImage::llama().numbers<int32_t>("attention.head_count", I32, {4, 4})).heads, 4);
  EXPECT_EQ(llama(ModelImage::llama().numbers<uint32_t>("feed_forward_length", U32, {96, 96})).ffn, 96);
  EXPECT_EQ(llama(ModelImage::llama().entry("context_length", U64, raw<uint64_t>(77))).context, 77);
}

TEST(GgufConfig, ReadsRotaryScaling) {
  auto factors = [](const ModelImage& image) { return llama(image).rope_factors; };
  EXPECT_EQ(factors(ModelImage::llama().text("rope.scaling.type", "none").real("rope.scaling.factor", 4)),
            std::vector<float>());
  EXPECT_EQ(factors(ModelImage::llama().text("rope.scaling.type", "linear").real("rope.scaling.factor", 4)),
            std::vector<float>(8, 4));
  EXPECT_EQ(factors(ModelImage::llama().real("rope.scale_linear", 2)), std::vector<float>(8, 2));
  std::vector<float> llama3 = {1, 1, 1, 1, 2, 4, 8, 8};
  EXPECT_EQ(factors(ModelImage::llama().values("rope_freqs.weight", llama3)), llama3);
  EXPECT_EQ(factors(ModelImage::llama().values("rope_freqs.weight", llama3).real("rope.scaling.factor", 2)),
            (std::vector<float>{2, 2, 2, 2, 4, 8, 16, 16}));
}

TEST(GgufConfig, ReadsGpt2) {
  auto c = *described(ModelImage::gpt2()).config.as<Gpt2Config>();
  EXPECT_EQ(std::tuple(c.layers, c.dim, c.heads, c.ffn), std::tuple(1, 64, 4, 96));
  EXPECT_EQ(std::tuple(c.vocab, c.context, c.tied, c.eps), std::tuple(40, 32, true, 1e-5f));
  EXPECT_FALSE(described(ModelImage::gpt2().tensor("output.weight", {64, 40})).config.as<Gpt2Config>()->tied);
}

TEST(GgufConfig, NamesAreFitToPrint) {
  EXPECT_EQ(described(ModelImage::llama()).name, "llama");
  EXPECT_EQ(described(ModelImage::llama().text(".general.name", "Tiny\n\x1b[31m \xff")).name, "Tiny??[31m ?");
}

// The attention ops of a model, one a layer.
std::vector<Attention> attentions(const ModelImage& image) {
  std::vector<Attention> all;
  for (const auto& n : build("m", DType::f32, described(image).config).nodes)
    if (auto* a = n.op.as<Attention>()) all.push_back(*a);
  return all;
}
std::vector<RopeFrequencies> frequencies(const ModelImage& image) {
  std::vector<RopeFrequencies> all;
  for (const auto& n : build("m", DType::f32, described(image).config).nodes)
    if (auto* r = n.op.as<Rotations>()) all.push_back(r->frequencies);
  return all;
}

TEST(GgufConfig, ReadsGemma3) {
  auto layers = attentions(ModelImage::gemma3(12));
  for (size_t i = 0; i < 12; ++i) EXPECT_EQ(layers.at(i).window, i % 6 == 5 ? 0 : 16) << i;
  EXPECT_EQ(layers[0].scale, 1 / std::sqrt(32.0f));
  EXPECT_EQ(attentions(ModelImage::gemma3(62))[0].scale, 1 / std::sqrt(16.0f));  // the 27B model: of dim / heads
  layers = attentions(ModelImage::gemma3(4).whole("attention.sliding_window_pattern", 2));
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(layers.at(i).window, i % 2 ? 0 : 16) << i;

  auto image = ModelImage::gemma3(2).real("rope.freq_base", 500000);
  image.text("rope.scaling.type", "linear").real("rope.scaling.factor", 8);
  auto turns = frequencies(image);
  EXPECT_EQ(turns.at(0), RopeFrequencies(32, 10000));
  EXPECT_EQ(turns.at(1), RopeFrequencies(32, 500000, std::vector<float>(16, 8)));
  EXPECT_EQ(frequencies(image.real("rope.freq_base_swa", 20000)).at(0), RopeFrequencies(32, 20000));
  EXPECT_TRUE(refused_as("unsupported_model", {"attn_logit_softcapping is 50"},
                         ModelImage::gemma3(2).real("attn_logit_softcapping", 50)));
  EXPECT_TRUE(refused_as("gguf_tensor_missing", {"blk.1.post_ffw_norm.weight"},
                         ModelImage::gemma3(2).without("blk.1.post_ffw_norm.weight")));
}

TEST(GgufConfig, WarnsOfWhatItLeavesOut) {
  auto model = described(ModelImage::llama().real("logit_scale", 2).tensor("extra.weight", {3}));
  ASSERT_EQ(model.warnings.size(), 2u);
  EXPECT_NE(model.warnings[0].find("llama.logit_scale"), std::string::npos);
  EXPECT_NE(model.warnings[1].find("extra.weight (F32, 3)"), std::string::npos);
}

TEST(GgufConfig, RefusesOtherArchitectures) {
  for (std::string arch : {"", "../../x", "mamba", "Llama"})
    EXPECT_TRUE(
        refused_as("unsupported_arch", {"gpt2, ", "llama"}, ModelImage::llama().text(".general.architecture", arch)));
  EXPECT_TRUE(refused_as("unsupported_arch", {"missing"}, ModelImage::llama().without("general.architecture")));
  std::string huge(1 << 20, 'x');
  auto image = ModelImage::llama().text(".general.architecture", huge);
  EXPECT_TRUE(refused_as("unsupported_arch", {"\"xxx"}, image));
  try {
    described(image);
  } catch (const Error& e) { EXPECT_LT(std::string_view(e.what()).size(), 500u); }
  EXPECT_TRUE(refused_as("unsupported_model", {"adapter"}, ModelImage::llama().text(".general.type", "adapter")));
  EXPECT_TRUE(refused_as("gguf_split", {"3 parts"}, ModelImage::llama().entry(".split.count", U16, raw<uint16_t>(3))));
  EXPECT_TRUE(refused_as("unsupported_model", {"8 experts"}, ModelImage::llama().whole("expert_count", 8)));
  EXPECT_TRUE(refused_as("gguf_key_range", {"expert_count"}, ModelImage::llama().whole("expert_count", 1u << 31)));
}

TEST(GgufConfig, RefusesShapesThatMakeNoSense) {
  auto bad = [](std::string_view key, uint32_t n) {
    return refused_as("gguf_key_range", {key}, ModelImage::llama().whole(std::string(key), n));
  };
  EXPECT_TRUE(bad("attention.head_count", 0));
  EXPECT_TRUE(bad("attention.head_count", 1u << 31));
  EXPECT_TRUE(bad("attention.head_count_kv", 0));
  EXPECT_TRUE(bad("attention.head_count_kv", 3));
  EXPECT_TRUE(bad("attention.head_count_kv", 8));
  EXPECT_TRUE(bad("embedding_length", 0));
  EXPECT_TRUE(bad("embedding_length", 66));
  EXPECT_TRUE(bad("embedding_length", 1u << 30));
  EXPECT_TRUE(bad("feed_forward_length", 0));
  EXPECT_TRUE(bad("context_length", 0));
  EXPECT_TRUE(bad("attention.key_length", 1024));
  EXPECT_TRUE(bad("rope.dimension_count", 15));
  EXPECT_TRUE(bad("rope.dimension_count", 32));
  EXPECT_TRUE(bad("rope.dimension_count", 0));
  EXPECT_TRUE(bad("rope.scaling.original_context_length", 0));
  EXPECT_TRUE(bad("vocab_size", 0));
  EXPECT_TRUE(refused_as("gguf_key_range", {"elements"}, ModelImage::llama().whole("attention.key_length", 15)));
  EXPECT_TRUE(refused_as("gguf_key_range", {"context_length"},
                         ModelImage::llama().entry("context_length", U64, raw<uint64_t>(1ull << 63))));
  EXPECT_TRUE(refused_as("gguf_key_range", {"context_length"},
                         ModelImage::llama().entry("context_length", I32, raw<int32_t>(-1))));
  EXPECT_TRUE(refused_as("gguf_key_type", {"context_length"}, ModelImage::llama().real("context_length", 128)));
  EXPECT_TRUE(
      refused_as("unsupported_model", {"value_length"}, ModelImage::llama().whole("attention.value_length", 32)));
  EXPECT_TRUE(
      refused_as("unsupported_model", {"rope.dimension_count"}, ModelImage::llama().whole("rope.dimension_count", 8)));
  for (auto key : {"block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count",
                   "attention.layer_norm_rms_epsilon"})
    EXPECT_TRUE(refused_as("gguf_key_missing", {key}, ModelImage::llama().without(key)));
}

TEST(GgufConfig, RefusesRealNumbersThatMakeNoSense) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  for (float x : {0.0f, -1.0f, nan, inf, -inf})
    for (auto key : {"rope.freq_base", "rope.scaling.factor", "attention.layer_norm_rms_epsilon"})
      EXPECT_TRUE(refused_as("gguf_key_range", {key}, ModelImage::llama().real(key, x)));
  for (float x : {0.0f, nan, inf, -2.0f})
    EXPECT_TRUE(refused_as("gguf_key_range", {"rope_freqs"},
                           ModelImage::llama().values("rope_freqs.weight", {1, 1, 1, 1, 1, 1, x, 1})));
  EXPECT_TRUE(
      refused_as("gguf_tensor_shape", {"rope_freqs", "8"}, ModelImage::llama().values("rope_freqs.weight", {1, 1, 1})));
  EXPECT_TRUE(refused_as("unsupported_model", {"yarn"}, ModelImage::llama().text("rope.scaling.type", "yarn")));
}

TEST(GgufConfig, RefusesLayersThatDoNotMatch) {
  EXPECT_TRUE(refused_as("gguf_key_range", {"block_count"}, ModelImage::llama().whole("block_count", 0)));
  EXPECT_TRUE(refused_as("gguf_key_range", {"block_count"}, ModelImage::llama().whole("block_count", 10'000)));
  EXPECT_TRUE(refused_as("gguf_layers", {"1000", "2 layers"}, ModelImage::llama().whole("block_count", 1000)));
  EXPECT_TRUE(refused_as("gguf_layers", {"layer 1"}, ModelImage::llama().whole("block_count", 1)));
  EXPECT_TRUE(refused_as("gguf_layers", {"99999"}, ModelImage::llama().tensor("blk.99999.attn_q.weight", {4})));
  EXPECT_TRUE(refused_as("gguf_key_range", {"expected 2"},
                         ModelImage::llama().numbers<int32_t>("attention.head_count", I32, {4})));
  EXPECT_TRUE(refused_as("gguf_key_range", {"expected 2"},
                         ModelImage::llama().numbers<int32_t>("attention.head_count", I32, {})));
  EXPECT_TRUE(refused_as("unsupported_model", {"[4, 2]"},
                         ModelImage::llama().numbers<int32_t>("attention.head_count", I32, {4, 2})));
}

TEST(GgufConfig, RefusesTensorsThatDoNotFit) {
  EXPECT_TRUE(refused_as("gguf_tensor_missing", {"blk.1.attn_q.weight", "64 x 64"},
                         ModelImage::llama().without("blk.1.attn_q.weight")));
  EXPECT_TRUE(refused_as("gguf_tensor_missing", {"token_embd"}, ModelImage::llama().without("token_embd.weight")));
  auto shape = [](std::string name, std::vector<uint64_t> ne, std::string_view found, std::string_view expected) {
    return refused_as("gguf_tensor_shape", {name, found, expected}, ModelImage::llama().tensor(name, std::move(ne)));
  };
  EXPECT_TRUE(shape("blk.0.ffn_down.weight", {64, 96}, "64 x 96", "96 x 64"));
  EXPECT_TRUE(shape("blk.0.attn_k.weight", {64, 64}, "64 x 64", "64 x 32"));
  EXPECT_TRUE(shape("blk.0.attn_q.weight", {64, 64, 2}, "64 x 64 x 2", "64 x 64"));
  EXPECT_TRUE(shape("blk.0.attn_q.weight", {4096}, "4096", "64 x 64"));
  EXPECT_TRUE(shape("blk.0.attn_norm.weight", {64, 1}, "64 x 1", "the shape 64,"));
  EXPECT_TRUE(shape("token_embd.weight", {40}, "40", "two dimensions"));
  EXPECT_TRUE(refused_as("gguf_tensor_shape", {"output.weight", "64 x 41"},
                         ModelImage::llama().tensor("token_embd.weight", {64, 41})));
  EXPECT_TRUE(
      refused_as("gguf_tensor_shape", {"position_embd", "64 x 33"}, ModelImage::gpt2().whole("context_length", 33)));
  // A bias that the family does not add would be missed.
  EXPECT_TRUE(
      refused_as("gguf_tensor_unexpected", {"attn_q.bias"}, ModelImage::llama().tensor("blk.0.attn_q.bias", {64})));
}

TEST(GgufConfig, RefusesTypesThatDoNotCompute) {
  for (uint32_t type : {GGML_F32, GGML_F16, GGML_BF16, GGML_Q8_0, GGML_Q4_0, GGML_Q4_1})
    EXPECT_NO_THROW(with_file(ModelImage::llama().tensor("blk.0.attn_q.weight", {64, 64}, type), read_model_config));
  for (uint32_t type : {GGML_F16, GGML_BF16})
    EXPECT_NO_THROW(with_file(ModelImage::llama().tensor("output_norm.weight", {64}, type), read_model_config));
  EXPECT_TRUE(refused_as("gguf_unsupported_type", {"output_norm.weight (Q4_0, 64)", "F32"},
                         ModelImage::llama().tensor("output_norm.weight", {64}, GGML_Q4_0)));
  constexpr uint32_t iq4_nl = 20;
  auto image = ModelImage::llama().tensor("blk.0.attn_q.weight", {64, 64}, iq4_nl);
  EXPECT_TRUE(refused_as("gguf_unsupported_type", {"blk.0.attn_q.weight (IQ4_NL, 64 x 64)", "Q5_0", "Q6_K"}, image));
  with_file(image, [](const GgufFile& file) {
    ModelDescription model = describe_model(file);
    ASSERT_EQ(model.unsupported.size(), 1u);
    EXPECT_EQ(model.unsupported[0].name, "blk.0.attn_q.weight");
  });
}

TEST(GgufConfig, TheEmbeddingHoldsTheVocabulary) {
  auto tokens = [](size_t n) {
    return ModelImage::llama().texts(".tokenizer.ggml.tokens", std::vector<std::string>(n, "t"));
  };
  EXPECT_EQ(llama(tokens(39)).vocab, 40);  // padded
  EXPECT_EQ(llama(tokens(40)).vocab, 40);
  EXPECT_TRUE(refused_as("gguf_vocabulary", {"41 tokens", "64 x 40"}, tokens(41)));
  EXPECT_EQ(llama(ModelImage::llama().whole("vocab_size", 30)).vocab, 40);
  EXPECT_TRUE(refused_as("gguf_vocabulary", {"vocab_size", "41"}, ModelImage::llama().whole("vocab_size", 41)));
}

TEST(GgufConfig, ErrorsNameTheFile) {
  std::string path = ::testing::TempDir() + "ridgeline_config_test.gguf";
  std::ofstream(path, std::ios::binary) << ModelImage::llama().without("block_count").bytes();
  EXPECT_TRUE(refused(ExitCode::bad_data, "gguf_key_missing", {"cannot load", path, "llama.block_count"}, [&] {
    GgufFile file = GgufFile::open(path);
    read_model_config(file);
  }));
  std::filesystem::remove(path);
}

// Whatever one bit of the header becomes, the answer is a model or an Error of bad data.
TEST(GgufConfig, SurvivesEveryBitFlip) {
  std::string good =
      ModelImage::llama().real("rope.freq_base", 500000).numbers<int32_t>("attention.head_count", I32, {4, 4}).bytes();
  auto header = GgufFile::parse(as_bytes(good)).data_begin();
  int accepted = 0;
  for (size_t bit = 0; bit < 8 * header; ++bit) {
    std::string flipped = good;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    try {
      GgufFile file = GgufFile::parse(as_bytes(flipped));
      read_model_config(file);
      ++accepted;
    } catch (const Error& e) { ASSERT_EQ(e.code(), ExitCode::bad_data) << "bit " << bit << ": " << e.what(); }
  }
  EXPECT_GT(accepted, 0);  // in the padding, and where a value has a neighbour that makes sense
}

}  // namespace
}  // namespace ridgeline
