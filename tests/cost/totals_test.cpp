#include "cost/totals.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "models/catalogue.h"
#include "passes/passes.h"

namespace ridgeline {
namespace {

Program runnable(std::string_view name) {
  const auto& entry = from_catalogue(name);
  return apply(build(std::string(name), DType::bf16, entry.config), PipelineOptions());
}

std::map<std::string, int64_t> counted(const Program& p, const BatchShape& batch) {
  Totals t = totals(p);
  std::map<std::string, int64_t> out = {{"params", t.params}};
  for (const auto& row : total_rows()) out[std::string(row.key)] = (t.*row.count).at(batch);
  return out;
}

TEST(Totals, EqualThePublishedCounts) {
  std::ifstream file(RIDGELINE_TEST_DATA "/exact_counts.json");
  auto data = nlohmann::json::parse(file);
  int checked = 0;
  for (auto& [model, expected] : data["models"].items()) {
    Program p = runnable(model);
    EXPECT_EQ(p.parameters(), expected["params"].get<int64_t>()) << model;
    for (auto& [shape, batch_text] : data["batch_shapes"].items()) {
      if (!expected.contains(shape)) continue;  // longer than the model's context
      auto counts = counted(p, BatchShape::parse(batch_text.get<std::string>()));
      for (auto& [key, number] : expected[shape].items()) {
        EXPECT_EQ(counts.at(key), number.get<int64_t>()) << model << ", " << shape << ", " << key;
        ++checked;
      }
    }
  }
  EXPECT_GE(checked, 12 * 5 * 7);
}

// The closed forms, from a model's shape alone: what the counts must be for any batch.
struct Dimensions : ModelFacts {
  std::vector<int64_t> windows;  // of each layer; 0: none
  int64_t q() const { return int64_t{heads} * head_dim; }
  int64_t kv() const { return int64_t{kv_heads} * head_dim; }
  // Weights of a layer: its matrices, and its vectors by what the family adds to two norms.
  int64_t matrices, vectors;
};
// None: of a family whose closed form is not written here.
std::optional<Dimensions> find_dimensions(const ModelConfig& c) {
  Dimensions m{c.facts(), {}, 0, 0};
  std::string_view family = c.family().architecture;
  if (!std::set<std::string_view>{"llama", "gpt2", "qwen2", "qwen3", "gemma3"}.contains(family)) return {};
  bool gpt2 = family == "gpt2", gemma3 = family == "gemma3";
  auto* llama = c.as<LlamaConfig>();
  for (int i = 0; i < m.layers; ++i)
    m.windows.push_back(llama ? llama->window : !gemma3 || i % 6 == 5 ? 0 : m.dim < 2000 ? 512 : 1024);
  m.matrices = m.dim * (2 * m.q() + 2 * m.kv()) + int64_t{gpt2 ? 2 : 3} * m.dim * m.ffn;
  m.vectors = 2 * m.dim;
  if (gpt2) m.vectors += 2 * m.dim + m.q() + 2 * m.kv() + m.dim + m.ffn + m.dim;  // biases
  if (family == "qwen2") m.vectors += m.q() + 2 * m.kv();
  if (family == "qwen3" || gemma3) m.vectors += 2 * m.head_dim;
  if (gemma3) m.vectors += 2 * m.dim;
  return m;
}

int64_t params(const Dimensions& m) {
  bool gpt2 = m.rope_base == 0;
  int64_t ends = (m.tied ? 1 : 2) * m.vocab * m.dim + (gpt2 ? (m.context + 2) * m.dim : m.dim);
  return ends + m.layers * (m.matrices + m.vectors);
}

std::map<std::string, int64_t> closed_form(const Dimensions& m, const BatchShape& batch) {
  int64_t tokens = 0, rows = 0, pairs = 0, keys = 0;  // pairs and keys of all layers
  for (const auto& s : batch.sequences) {
    tokens += s.fresh, rows += 1;
    for (int64_t window : m.windows) {
      int64_t first_seen = s.cached + s.fresh;
      for (int64_t p = s.cached; p < s.cached + s.fresh; ++p) {
        int64_t first = window ? std::max<int64_t>(0, p - window + 1) : 0;
        pairs += p - first + 1, first_seen = std::min(first_seen, first);
      }
      keys += s.cached + s.fresh - first_seen;
    }
  }
  int64_t weights = m.layers * m.matrices;
  return {{"params", params(m)},
          {"matmul_flops", 2 * tokens * weights},
          {"head_flops", 2 * rows * m.dim * m.vocab},
          {"attention_flops", 4 * m.q() * pairs},
          {"layer_matmul_weight_bytes", 2 * weights},
          {"head_weight_bytes", 2 * m.dim * m.vocab},
          {"kv_read_bytes", 2 * 2 * m.kv() * keys},
          {"kv_write_bytes", 2 * 2 * m.layers * m.kv() * tokens}};
}

TEST(Totals, EqualTheClosedForms) {
  for (const auto& entry : catalogue()) {
    Program p = runnable(entry.name);
    auto m = find_dimensions(entry.config);
    if (!m) continue;
    for (const char* text : {"1", "1@777", "5x1@31,3@4095,17@8191", "511@1,64x2@900", "700"}) {
      BatchShape batch = BatchShape::parse(text);
      auto counts = counted(p, batch);
      for (const auto& [key, number] : closed_form(*m, batch))
        EXPECT_EQ(counts.at(key), number) << entry.name << ", " << text << ", " << key;
    }
  }
}

TEST(Totals, KnownParameterCounts) {  // as their makers publish them
  auto of = [](std::string_view name) { return runnable(name).parameters(); };
  EXPECT_EQ(of("llama-3.1-405b"), 405'853'388'800);
  EXPECT_EQ(of("llama-3.1-8b"), 8'030'261'248);
  EXPECT_EQ(of("llama-3.1-70b"), 70'553'706'496);
  EXPECT_EQ(of("llama-2-13b"), 13'015'864'320);
  EXPECT_EQ(of("llama-2-70b"), 68'976'648'192);
  EXPECT_EQ(of("llama-3.2-3b"), 3'212'749'824);
  EXPECT_EQ(of("smollm2-360m"), 361'821'120);
  EXPECT_EQ(of("smollm2-1.7b"), 1'711'376'384);
  EXPECT_EQ(of("mistral-7b-v0.3"), 7'248'023'552);
  EXPECT_EQ(of("gpt2-medium"), 354'823'168);
  EXPECT_EQ(of("gpt2-large"), 774'030'080);
  EXPECT_EQ(of("qwen2-0.5b"), 494'032'768);
  EXPECT_EQ(of("qwen2.5-1.5b"), 1'543'714'304);
  EXPECT_EQ(of("qwen2.5-3b"), 3'085'938'688);
  EXPECT_EQ(of("qwen2.5-7b"), 7'615'616'512);
  EXPECT_EQ(of("qwen2.5-14b"), 14'770'033'664);
  EXPECT_EQ(of("qwen2.5-32b"), 32'763'876'352);
  EXPECT_EQ(of("qwen2.5-72b"), 72'706'203'648);
  EXPECT_EQ(of("qwen3-1.7b"), 1'720'574'976);
  EXPECT_EQ(of("qwen3-4b"), 4'022'468'096);
  EXPECT_EQ(of("qwen3-8b"), 8'190'735'360);
  EXPECT_EQ(of("qwen3-14b"), 14'768'307'200);
  EXPECT_EQ(of("qwen3-32b"), 32'762'123'264);
  EXPECT_EQ(of("gemma-3-1b"), 999'885'952);
}

// Elementwise FLOPs and activation bytes of one decode step of llama-3-8b, added up by hand from the pages of its ops.
TEST(Totals, ElementwiseAndActivationsFollowTheProgram) {
  auto counts = counted(runnable("llama-3-8b"), BatchShape::parse("1@1000"));
  int64_t d = 4096, kv = 1024, f = 14336, heads = 32, keys = 1001;
  int64_t norm = 4 * d + 3, rope = 3 * (d + kv), attention = 5 * heads * keys + d + heads, swiglu = 4 * f,
          residuals = 2 * d, turns = 3 * 64;
  EXPECT_EQ(counts["elementwise_flops"], 32 * (2 * norm + rope + attention + swiglu + residuals) + norm + turns);
  int64_t fp32 = 4, bf16 = 2;
  int64_t layer = 2 * d * (fp32 + bf16)             // norms: fp32 in, bf16 out
                  + d * bf16 + (d + 2 * kv) * fp32  // q, k, v
                  + (2 * d + kv) * fp32 + 2 * 128 * fp32 +
                  kv * fp32                           // rope of q; of k, into the cache; v, into the cache
                  + 2 * d * fp32 + d * (fp32 + bf16)  // attention, and its result to bf16
                  + 2 * d * fp32 + d * bf16           // attn_out on the residual
                  + d * bf16 + f * fp32 + f * (fp32 + bf16) + f * bf16 + 2 * d * fp32;  // feed-forward
  int64_t ends = 128 * fp32 + d * fp32 + 2 * d * fp32 + d * (fp32 + bf16) + d * bf16 + 128256 * fp32;
  EXPECT_EQ(counts["activation_bytes"], 32 * layer + ends);
}

TEST(Totals, TypesChangeBytesAndNothingElse) {
  const auto& entry = from_catalogue("smollm2-135m");
  BatchShape batch = BatchShape::parse("3@70,1@20");
  auto of = [&](DType weights, DType kv) {
    PipelineOptions options;
    options.retype = {[=](auto&&...) { return weights; }, kv};
    return counted(apply(build("m", DType::bf16, entry.config), options), batch);
  };
  auto bf16 = of(DType::bf16, DType::bf16), q4 = of(DType::q4_0, DType::bf16), f32 = of(DType::f32, DType::f32);
  EXPECT_EQ(q4["layer_matmul_weight_bytes"] * 32, bf16["layer_matmul_weight_bytes"] * 9);  // 18 bytes for 32 elements
  EXPECT_EQ(f32["head_weight_bytes"], 2 * bf16["head_weight_bytes"]);
  EXPECT_EQ(f32["kv_read_bytes"], 2 * bf16["kv_read_bytes"]);
  for (const char* key : {"params", "matmul_flops", "head_flops", "attention_flops"})
    EXPECT_EQ(q4[key], f32[key]) << key;
}

TEST(Totals, WithoutACacheEveryTokenIsComputedAgain) {
  const auto& entry = from_catalogue("smollm2-135m");
  PipelineOptions options;
  options.disabled = {"insert_kv_cache"};
  Program p = apply(build("m", DType::bf16, entry.config), options);
  BatchShape asked = BatchShape::parse("2@100,3x1@7"), computed = computed_batch(p, asked);
  EXPECT_EQ(computed.text(), "102,3x8");
  auto without = counted(p, computed), expected = closed_form(*find_dimensions(entry.config), computed);
  EXPECT_EQ(without["kv_read_bytes"], 0);
  for (const char* key : {"matmul_flops", "attention_flops", "head_flops"})
    EXPECT_EQ(without[key], expected[key]) << key;
}

TEST(StepCost, AddsUpToTheTotals) {
  for (const char* model : {"llama-3.2-1b", "gpt2", "mistral-7b-v0.1"}) {
    Program p = runnable(model);
    BatchShape batch = BatchShape::parse("64x1@5000,33@7");
    StepCost step = step_cost(p, batch);
    Totals t = totals(p);
    EXPECT_EQ(step.sum.flops(), t.flops().at(batch));
    EXPECT_EQ(step.sum.bytes(), t.bytes().at(batch));
    EXPECT_EQ(step.ops.size(), p.nodes.size());
  }
}

}  // namespace
}  // namespace ridgeline
