#include "planner/model_quantities.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "cost/totals.h"
#include "models/catalogue.h"
#include "passes/passes.h"

namespace ridgeline {
namespace {

Sheet sheet_of(const std::string& model) {
  Sheet s;
  add_model(s, "m", model, from_catalogue(model).config, DType::bf16);
  return s;
}
Number computed(const Sheet& s, std::string_view text) { return s.evaluate(Expression::parse(text)); }

TEST(ModelQuantities, AreThoseOfTheProgram) {
  for (const auto& entry : catalogue()) {
    Sheet s = sheet_of(std::string(entry.name));
    const ModelFacts& f = entry.config.facts();
    EXPECT_EQ(s.value("m.layers"), f.layers);
    Totals t = totals(apply(build("m", DType::bf16, entry.config), PipelineOptions()));
    EXPECT_EQ(s.value("m.params"), t.params) << entry.name;
    EXPECT_EQ(s.value("m.tables"), f.tied ? 1 : 2) << entry.name;
    BatchShape batch = BatchShape::parse("3x2@100"), token = BatchShape::parse("1");
    EXPECT_EQ(computed(s, "m.step.matmul_flops(3, 2, 100)"), t.matmul_flops.at(batch)) << entry.name;
    EXPECT_EQ(computed(s, "m.step.attention_flops(3, 2, 100)"), t.attention_flops.at(batch)) << entry.name;
    EXPECT_EQ(computed(s, "m.step.kv_read_bytes(3, 2, 100)"), t.kv_read_bytes.at(batch)) << entry.name;
    EXPECT_EQ(s.value("m.matmul_flops"), t.matmul_flops.at(token)) << entry.name;
    EXPECT_EQ(s.value("m.layer.matmul_flops") * f.layers, t.matmul_flops.at(token)) << entry.name;
    EXPECT_EQ(s.value("m.layers.read_bytes") + s.value("m.head.read_bytes"),
              computed(s, "m.step.read_bytes(3, 2, 100)"))
        << entry.name;
    EXPECT_EQ(s.value("m.kv.token_bytes"), Number{2} * 2 * f.layers * f.kv_heads * f.head_dim) << entry.name;
    EXPECT_EQ(s.value("m.table.params"), f.vocab * f.dim) << entry.name;
  }
}

TEST(ModelQuantities, MatricesAddUpToTheLayer) {
  Sheet s = sheet_of("llama-3-8b");
  Number params = 0, flops = 0;
  for (const char* matrix : {"q", "k", "v", "attn_out", "gate", "up", "down"}) {
    params += s.value(fmt::format("m.layer.{}.params", matrix));
    flops += s.value(fmt::format("m.layer.{}.flops", matrix));
  }
  EXPECT_EQ(params, s.value("m.layer.params") - s.value("m.layer.vector_params"));
  EXPECT_EQ(flops, s.value("m.layer.matmul_flops"));
  EXPECT_EQ(s.label("m.layer.q.params").provenance, "program of llama-3-8b");
  EXPECT_EQ(s.label("m.d").provenance, "config of llama-3-8b");
}

TEST(ModelQuantities, WithoutACacheTokensAreComputedAgain) {
  Sheet s = sheet_of("smollm2-135m");
  EXPECT_EQ(computed(s, "m.uncached.matmul_flops(2, 1, 99)"), computed(s, "m.step.matmul_flops(2, 100, 0)"));
  EXPECT_EQ(computed(s, "m.uncached.kv_read_bytes(2, 1, 99)"), 0);
  EXPECT_EQ(computed(s, "m.uncached.read_bytes(2, 1, 99)"), computed(s, "m.step.read_bytes(2, 1, 99)"));
}

TEST(ModelQuantities, StepsAreLinearBetweenWholeNumbers) {
  Sheet s = sheet_of("smollm2-135m");
  Number at = computed(s, "m.step.attention_flops(4, 10, 100)"),
         next = computed(s, "m.step.attention_flops(4, 10, 101)");
  EXPECT_EQ(computed(s, "m.step.attention_flops(4, 10, 100.25)"), at + (next - at) / 4);
  Number one = computed(s, "m.step.matmul_flops(1, 1, 0)");
  EXPECT_EQ(computed(s, "m.step.matmul_flops(0.75, 1, 0)"), 0.75L * one);
  EXPECT_EQ(computed(s, "m.step.matmul_flops(1.5, 2.5, 0)"), 3.75L * one);
  for (const char* text : {"m.step.matmul_flops(0, 1, 0)", "m.step.matmul_flops(1, 1, -1)",
                           "m.step.matmul_flops(1e9, 1, 0)", "m.step.matmul_flops(1, 0, 7)"})
    try {
      computed(s, text);
      ADD_FAILURE() << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.id(), "step_argument");
      EXPECT_EQ(e.code(), ExitCode::usage);
    }
}

}  // namespace
}  // namespace ridgeline
