#include "formats/synthetic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "base/refused.h"
#include "base/scratch_folder.h"
#include "formats/gguf.h"
#include "tensor/blocks.h"

namespace ridgeline {
namespace {

const LlamaConfig small_llama = {.layers = 2,
                                 .dim = 64,
                                 .heads = 4,
                                 .kv_heads = 2,
                                 .ffn = 96,
                                 .vocab = 300,
                                 .context = 256,
                                 .head_dim = 32,
                                 .rope_base = 500000,
                                 .rope_factors = std::vector<float>(16, 4),
                                 .eps = 1e-6f,
                                 .window = 16};
const Gpt2Config small_gpt2 = {.layers = 2, .dim = 64, .heads = 4, .vocab = 259, .context = 64};

std::string content(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}
std::string written(const std::string& path, const SyntheticModel& m, int threads = 2) {
  Team team(threads);
  write_synthetic(path, m, team);
  return content(path);
}

// The smallest published model of each family, with two of its layers, and those above.
std::vector<ModelConfig> small_models() {
  std::vector<ModelConfig> models = {small_llama, small_gpt2};
  for (const Family* family : families()) {
    auto narrower = [](const auto& a, const auto& b) { return a.config.facts().dim < b.config.facts().dim; };
    const auto& shapes = family->shapes();
    if (shapes.empty()) continue;
    models.push_back(family->resized(std::min_element(shapes.begin(), shapes.end(), narrower)->config, 2, 300));
  }
  return models;
}

TEST(Synthetic, WritesEveryFamily) {
  ScratchFolder folder;
  for (const auto& config : small_models()) {
    SCOPED_TRACE(gguf_architecture(config));
    Team team(2);
    write_synthetic(folder / "m.gguf", {"small", config, DType::q4_0}, team);
    GgufFile file = GgufFile::open(folder / "m.gguf");
    ModelDescription read = read_model_config(file);
    EXPECT_EQ(read.warnings, std::vector<std::string>());
    EXPECT_EQ(build("small", DType::q4_0, read.config).text(), build("small", DType::q4_0, config).text());
    EXPECT_EQ(context_of(read.config), context_of(config));
  }
}

// The program of the file is the program asked for, to the last attribute, in every type.
TEST(Synthetic, IsWhatWasAskedFor) {
  ScratchFolder folder;
  LlamaConfig wide_llama = small_llama;
  wide_llama.dim = wide_llama.ffn = 256, wide_llama.head_dim = 64, wide_llama.rope_factors = {};
  Gpt2Config wide_gpt2 = small_gpt2;
  wide_gpt2.dim = 256;
  for (ModelConfig config :
       {ModelConfig(small_llama), ModelConfig(small_gpt2), ModelConfig(wide_llama), ModelConfig(wide_gpt2)})
    for (DType type : stored_types) {
      if (config.facts().dim % row_of(type).block) continue;
      SyntheticModel m{"small", config, type};
      EXPECT_EQ(written(folder / "m.gguf", m).size(), synthetic_bytes(m));
      GgufFile file = GgufFile::open(folder / "m.gguf");
      ModelDescription read = read_model_config(file);
      EXPECT_EQ(read.warnings, std::vector<std::string>());
      EXPECT_EQ(build("small", type, read.config).text(), build("small", type, config).text());
      EXPECT_EQ(file.dtype(file.tensor("token_embd.weight")), type);
      EXPECT_EQ(file.dtype(file.tensor("output_norm.weight")), DType::f32);
    }
}

TEST(Synthetic, DependsOnTheSeedAndNotOnTheThreads) {
  ScratchFolder folder;
  SyntheticModel m{"small", small_llama, DType::q4_1, 7};
  std::string one = written(folder / "1.gguf", m, 1);
  EXPECT_TRUE(one == written(folder / "3.gguf", m, 3));
  m.seed = 8;
  EXPECT_FALSE(one == written(folder / "other.gguf", m));
}

TEST(Synthetic, WeightsAreScaled) {
  ScratchFolder folder;
  written(folder / "m.gguf", {"small", small_gpt2, DType::f32});
  GgufFile file = GgufFile::open(folder / "m.gguf");
  auto deviation = [&](const char* name) {
    const GgufTensor& t = file.tensor(name);
    std::vector<float> x(t.elements);
    dequantize_row(DType::f32, file.data(t).data(), static_cast<int64_t>(t.elements), x.data());
    double squares = 0;
    for (float v : x) squares += double(v) * double(v);
    return std::sqrt(squares / static_cast<double>(t.elements));
  };
  EXPECT_NEAR(deviation("token_embd.weight"), 1 / 8.0, 0.01);
  EXPECT_NEAR(deviation("blk.1.attn_qkv.weight"), 1 / 8.0, 0.01);
  EXPECT_NEAR(deviation("blk.1.ffn_down.weight"), 1 / 16.0 / 2, 0.005);  // ends a branch: / sqrt(2 * 2 layers)
  EXPECT_EQ(deviation("blk.0.attn_norm.weight"), 1);
  EXPECT_NEAR(deviation("blk.0.ffn_up.bias"), 0.02 / std::sqrt(3), 0.002);
}

TEST(Synthetic, RefusesWhatCannotBe) {
  ScratchFolder folder;
  Team team(1);
  auto write = [&](const SyntheticModel& m, const std::string& path) {
    return [&team, m, path] { write_synthetic(path, m, team); };
  };
  Gpt2Config odd = small_gpt2;
  odd.dim = 80, odd.ffn = 96;
  EXPECT_TRUE(
      refused(ExitCode::usage, "synth_shape", {"80", "q8_0"}, write({"odd", odd, DType::q8_0}, folder / "m.gguf")));
  EXPECT_TRUE(refused(ExitCode::usage, "synth_shape", {"64", "q4_K", "256", "q5_0"},
                      write({"odd", small_gpt2, DType::q4_K}, folder / "m.gguf")));
  EXPECT_NO_THROW(write({"odd", odd, DType::bf16}, folder / "m.gguf")());
  Gpt2Config few = small_gpt2;
  few.vocab = 258;
  EXPECT_TRUE(refused(ExitCode::usage, "synth_shape", {"258", "259"}, write({"few", few}, folder / "few.gguf")));
  few.vocab = 4 << 20;
  EXPECT_TRUE(refused(ExitCode::usage, "synth_shape", {"too large"}, write({"many", few}, folder / "few.gguf")));
  EXPECT_TRUE(
      refused(ExitCode::usage, "synth_shape", {"i32"}, write({"i32", small_gpt2, DType::i32}, folder / "few.gguf")));
  auto huge = *from_catalogue("llama-3.1-405b").config.as<LlamaConfig>();
  huge.layers = 1000;
  EXPECT_TRUE(refused(ExitCode::unavailable, "disk_full", {"MiB left"},
                      write({"huge", huge, DType::f32}, folder / "few.gguf")));
  EXPECT_TRUE(refused(ExitCode::io, "cannot_write", {"directory"}, write({"small", small_gpt2}, folder.path())));
  EXPECT_TRUE(
      refused(ExitCode::io, "cannot_write", {"nowhere"}, write({"small", small_gpt2}, folder / "nowhere/m.gguf")));
  EXPECT_FALSE(std::filesystem::exists(folder / "few.gguf"));
}

}  // namespace
}  // namespace ridgeline
