#include "models/catalogue.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "base/error.h"
#include "base/limits.h"
#include "base/refused.h"
#include "ops/linear.h"
#include "ops/select_rows.h"

namespace ridgeline {
namespace {

TEST(Catalogue, NamesAreUniqueAndShapesWithinLimits) {
  std::set<std::string_view> names;
  for (const auto& e : catalogue()) {
    EXPECT_TRUE(names.insert(e.name).second) << e.name;
    EXPECT_EQ(find_in_catalogue(e.name), &e);
    EXPECT_LE(layers_of(e.config), limits::layers);
    EXPECT_LE(head_dim_of(e.config), limits::head_dim);
    EXPECT_LE(vocabulary_of(e.config), limits::vocabulary);
    EXPECT_LE(context_of(e.config), limits::context);
    EXPECT_EQ(head_dim_of(e.config) % 2, 0);
  }
  for (const char* needed : {"llama-3.1-405b", "smollm2-360m", "smollm2-1.7b", "gpt2", "gpt2-medium", "gpt2-large",
                             "gpt2-xl", "mistral-7b-v0.1", "tinyllama-1.1b"})
    EXPECT_TRUE(names.contains(needed)) << needed;
}

// Each format's name leads to one family, and a config to its own.
TEST(Families, AreFoundByOneName) {
  std::set<std::string_view> architectures, model_types;
  for (const Family* family : families()) {
    EXPECT_TRUE(architectures.insert(family->architecture).second) << family->architecture;
    for (auto type : family->model_types) EXPECT_TRUE(model_types.insert(type).second) << type;
    for (const auto& shape : family->shapes()) EXPECT_EQ(&shape.config.family(), family) << shape.name;
  }
  EXPECT_EQ(&ModelConfig(LlamaConfig{}).family(), &from_catalogue("llama-3-8b").config.family());
  EXPECT_EQ(ModelConfig(LlamaConfig{}).as<Gpt2Config>(), nullptr);
  EXPECT_THROW(ModelConfig().family(), Error);
}

TEST(Families, ResizeAModel) {
  const ModelConfig& published = from_catalogue("llama-3-8b").config;
  ModelConfig small = published.family().resized(published, 2, 0);
  EXPECT_EQ(layers_of(small), 2);
  EXPECT_EQ(small.as<LlamaConfig>()->layers, 2);
  EXPECT_EQ(vocabulary_of(small), vocabulary_of(published));
  EXPECT_EQ(vocabulary_of(published.family().resized(published, 0, 300)), 300);
}

TEST(Families, ShardAModelAsMegatronDoes) {
  const ModelConfig& whole = from_catalogue("llama-3-8b").config;
  auto shard = [&](int ranks) { return whole.family().shard(whole, ranks); };
  ModelFacts f = shard(4).facts();
  EXPECT_EQ(f.heads, 8);
  EXPECT_EQ(f.kv_heads, 2);
  EXPECT_EQ(f.head_dim, 128);
  EXPECT_EQ(f.ffn, 3584);
  EXPECT_EQ(f.dim, 4096);
  EXPECT_EQ(f.vocab, 32064);
  EXPECT_EQ(shard(16).facts().kv_heads, 1);  // fewer KV heads than ranks: each keeps one
  // All ranks together hold the model, but for norms, which each has.
  auto parameters = [](const ModelConfig& c) { return build("m", DType::bf16, c).parameters(); };
  int64_t norms = (2 * 32 + 1) * 4096;
  EXPECT_EQ(4 * (parameters(shard(4)) - norms), parameters(whole) - norms);
  EXPECT_TRUE(refused(ExitCode::usage, "impossible_split", {"32 heads", "3 devices"}, [&] { shard(3); }));
  const ModelConfig& gpt2 = from_catalogue("gpt2").config;
  EXPECT_TRUE(refused(ExitCode::usage, "impossible_split", {"gpt2"}, [&] { gpt2.family().shard(gpt2, 2); }));
}

TEST(Catalogue, SuggestsTheNearestNames) {
  try {
    from_catalogue("lama-3-8b");
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::usage);
    EXPECT_NE(std::string(e.what()).find("nearest: llama-3-8b"), std::string::npos) << e.what();
  }
  EXPECT_THROW(from_catalogue(""), Error);
  EXPECT_EQ(find_in_catalogue("nothing"), nullptr);
}

// Every weight of every program has a tensor in a file, no part of a tensor is claimed twice, and no row of a table is idle.
TEST(Bindings, NameEveryWeightOnce) {
  std::map<const std::vector<TensorBinding>*, std::set<std::string_view>> used, rows;
  for (const auto& e : catalogue()) {
    const auto& table = gguf_bindings(e.config);
    for (const auto& rule : table)
      EXPECT_TRUE(rows[&table].insert(rule.weight).second || used.contains(&table)) << rule.weight << " twice";
    std::set<std::pair<std::string, int64_t>> tensors;
    Program p = build("m", DType::bf16, e.config);
    for (const auto& v : p.values) {
      if (v.origin != Program::Origin::weight) continue;
      auto bound = bind_tensor(table, v.name);
      ASSERT_TRUE(bound) << e.name << ": " << v.name;
      EXPECT_EQ(bound->tensor.find('*'), std::string::npos) << bound->tensor;
      auto place = rows_in_tensor(table, p, v.name, {});
      EXPECT_EQ(place.rows, v.type.is_matrix() ? v.type.rows().constant() : v.type.cols());
      EXPECT_LE(place.first + place.rows, place.of);
      EXPECT_TRUE(tensors.insert({bound->tensor, place.first}).second)
          << e.name << ": " << bound->tensor << " is bound twice";
      used[&table].insert(bound->rule.weight);
    }
  }
  for (auto& [table, names] : rows)
    names.erase("head"), used[table].erase("head");  // tied in every GPT-2 of the catalogue
  EXPECT_EQ(used, rows);
}

TEST(Bindings, PutTheLayerIn) {
  const auto& llama = gguf_bindings(from_catalogue("llama-3-8b").config);
  auto bound = bind_tensor(llama, "layers.17.q");
  ASSERT_TRUE(bound);
  EXPECT_EQ(bound->tensor, "blk.17.attn_q.weight");
  EXPECT_TRUE(bound->rule.interleaved_heads);
  EXPECT_FALSE(bind_tensor(llama, "layers.17.unknown"));
  EXPECT_FALSE(bind_tensor(llama, "layers.q"));
  EXPECT_FALSE(bind_tensor(llama, ""));
}

TEST(Bindings, RowsAreAPermutation) {
  TensorBinding plain{"a", "b"}, interleaved{"a", "b", true};
  TensorRows whole{.rows = 24, .of = 24, .heads = {8, 8, 3}}, last{.first = 48, .rows = 24, .of = 72};
  std::set<int64_t> rows;
  for (int64_t n = 0; n < 24; ++n) {
    EXPECT_EQ(whole.at(plain, n), n);
    EXPECT_EQ(last.at(plain, n), 48 + n);
    rows.insert(whole.at(interleaved, n));
  }
  EXPECT_EQ(rows.size(), 24u);
  EXPECT_EQ(*rows.rbegin(), 23);
  // Rotary partners n and n + 4 of a head of 8 are neighbours in the file.
  for (int64_t head : {0, 8, 16})
    for (int64_t i = 0; i < 4; ++i) {
      EXPECT_EQ(whole.at(interleaved, head + i), head + 2 * i);
      EXPECT_EQ(whole.at(interleaved, head + i + 4), head + 2 * i + 1);
    }
  // Where positions turn 4 of the 8, partners n and n + 2 are, and the others stay.
  TensorRows part{.rows = 16, .of = 16, .heads = {8, 4, 2}};
  std::vector<int64_t> at;
  for (int64_t n = 0; n < 16; ++n) at.push_back(part.at(interleaved, n));
  EXPECT_EQ(at, (std::vector<int64_t>{0, 2, 1, 3, 4, 5, 6, 7, 8, 10, 9, 11, 12, 13, 14, 15}));
}

// q, k and v of four heads and two KV heads, of 3 rows each, in one tensor: stacked, and by KV head.
TEST(Bindings, WeightsOfOneTensorShareItsRows) {
  Builder b("m", DType::f32);
  Expr x = embedding(b.tokens(), b.weight("embed", {5, 8}));
  for (auto layer : b.layers(2)) {
    linear(x, layer("q"), 12);
    linear(x, layer("k"), 6);
    x = linear(x, layer("v"), 6);
  }
  Program p = b.finish("logits", x);
  auto rows_of = [&](bool by_kv_head, const char* weight) {
    std::vector<TensorBinding> table;
    for (const char* name : {"layers.*.q", "layers.*.k", "layers.*.v"})
      table.push_back({.weight = name, .tensor = "h.*.qkv", .by_kv_head = by_kv_head});
    TensorRows rows = rows_in_tensor(table, p, weight, {.head_dim = 3, .turned = 3, .kv_heads = 2});
    EXPECT_EQ(rows.of, 24);
    std::vector<int64_t> at;
    for (int64_t n = 0; n < rows.rows; ++n) at.push_back(rows.at(table[0], n));
    return at;
  };
  using Rows = std::vector<int64_t>;
  EXPECT_EQ(rows_of(false, "layers.1.k"), (Rows{12, 13, 14, 15, 16, 17}));
  EXPECT_EQ(rows_of(false, "layers.0.v"), (Rows{18, 19, 20, 21, 22, 23}));
  // A KV head's 12 rows: its two query heads, its keys, its values.
  EXPECT_EQ(rows_of(true, "layers.1.q"), (Rows{0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17}));
  EXPECT_EQ(rows_of(true, "layers.1.k"), (Rows{6, 7, 8, 18, 19, 20}));
  EXPECT_EQ(rows_of(true, "layers.0.v"), (Rows{9, 10, 11, 21, 22, 23}));
}

TEST(Models, ProgramsDependOnTheirConfigOnly) {
  for (const auto& e : catalogue())
    EXPECT_EQ(build("m", DType::bf16, e.config).text(), build("m", DType::bf16, e.config).text());
  auto windowed = build("m", DType::bf16, from_catalogue("mistral-7b-v0.1").config).text();
  EXPECT_NE(windowed.find("window=4096"), std::string::npos);
}

// A model function fits a screen and says what the model is, nothing of how it runs.
TEST(Models, FunctionsAreShortAndNameNoMachinery) {
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(RIDGELINE_TEST_DATA "/../../src/models/families")) {
    std::string family = file.path().stem();
    std::ifstream in(file.path());
    ++files;
    int lines = 0;
    bool inside = false;
    for (std::string line; std::getline(in, line);) {
      inside = inside || line.starts_with("Program " + family + "(");
      if (!inside) continue;
      ++lines;
      for (const char* word : {"kernel", "gguf", "GGUF", "cache", "batch", "append", "slots", "quantize"})
        EXPECT_EQ(line.find(word), std::string::npos) << line;
      if (line == "}") break;
    }
    EXPECT_GT(lines, 15);
    EXPECT_LE(lines, 40) << family;
  }
  EXPECT_EQ(files, std::ssize(families()));
}

// Llama 3's stretching at its two ends and at a point between, by the formula of its model card.
TEST(Rope, Llama3Factors) {
  auto f = llama3_rope_factors(128, 500000, 8, 1, 4, 8192);
  ASSERT_EQ(f.size(), 64u);
  EXPECT_EQ(f.front(), 1);  // short wavelengths are kept
  EXPECT_EQ(f.back(), 8);   // long ones stretched whole
  for (size_t i = 0; i < 64; ++i) {
    double wavelength = 2 * M_PI * std::pow(500000.0, 2.0 * static_cast<double>(i) / 128), expected = 1;
    if (wavelength > 8192)
      expected = 8;
    else if (wavelength > 8192.0 / 4) {
      double smooth = (8192 / wavelength - 1) / 3;
      expected = 1 / ((1 - smooth) / 8 + smooth);
    }
    EXPECT_NEAR(static_cast<double>(f[i]), expected, 1e-6 * expected) << i;
  }
}

TEST(Rope, FrequenciesAndAnglesAgreeWithLibm) {
  for (double base : {10000.0, 500000.0, 130000.0})
    for (double y = -1; y <= 0; y += 1.0 / 64) EXPECT_NEAR(power(base, y) / std::pow(base, y), 1, 1e-14);
  for (double x = 0; x < 1e6; x = x * 1.37 + 0.11) {
    EXPECT_NEAR(sin_cos(x).sin, std::sin(x), 1e-14) << x;
    EXPECT_NEAR(sin_cos(x).cos, std::cos(x), 1e-14) << x;
  }
}

}  // namespace
}  // namespace ridgeline
