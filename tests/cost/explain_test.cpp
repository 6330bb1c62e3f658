#include "cost/explain.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cost/roofline.h"
#include "cost/totals.h"
#include "golden_text.h"
#include "models/catalogue.h"
#include "program/memory_plan.h"

namespace ridgeline {
namespace {

std::vector<Stage> stages(std::string_view model, const PipelineOptions& options = {}) {
  return run_passes(build(std::string(model), DType::bf16, from_catalogue(model).config), pipeline(options));
}

// With a machine, JSON has the times that the table shows, and bytes as the machine stores them.
TEST(Explain, JsonHasTheTimesOfAMachine) {
  const Hardware& h100 = hardware_named("h100-sxm");
  auto s = run_passes(build("m", DType::bf16, from_catalogue("llama-3-8b").config), pipeline(passes_on(h100, {})));
  BatchShape batch = BatchShape::parse("8x1@1000");
  Roofline on(s.back().program, h100);
  StepTime time = on.at(batch);
  auto json = explain_json(s.back(), batch, &on);
  EXPECT_EQ(json["hardware"], "h100-sxm");
  EXPECT_EQ(json["step"]["limit"], "memory");
  EXPECT_EQ(json["step"]["ideal_seconds"], time.ideal);
  EXPECT_EQ(json["step"]["bytes"], time.sum.bytes());
  double sum = 0;
  for (const auto& op : json["ops"]) sum += op["ideal_seconds"].get<double>();
  EXPECT_NEAR(sum, time.ideal, 1e-9 * time.ideal);
  auto plain = explain_json(s.back(), batch);
  EXPECT_FALSE(plain.contains("hardware"));
  EXPECT_FALSE(plain["ops"][0].contains("ideal_seconds"));
  EXPECT_GT(plain["step"]["bytes"], json["step"]["bytes"]);  // activations in bf16 there
}

TEST(Explain, Golden) {
  auto llama = stages("llama-3-8b");
  test::expect_golden("cost/explain_llama-3-8b.txt", explain(llama.back(), BatchShape::parse("1@1000")));
  test::expect_golden("cost/diff_llama-3-8b.txt", difference(llama[3], llama.back(), BatchShape::parse("1@1000")));
  auto gpt2 = stages("gpt2");
  test::expect_golden("cost/explain_gpt2_model.txt", explain(gpt2[0], BatchShape::parse("2x1@100,30@5")));
}

TEST(Explain, EqualLayersAreShownOnce) {
  auto s = stages("gpt2");
  BatchShape batch = BatchShape::parse("1@10");
  auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  std::string once = explain(s.back(), batch), all = explain(s.back(), batch, true);
  EXPECT_NE(once.find("layer x12"), once.npos);
  EXPECT_EQ(all.find("alike"), all.npos);
  EXPECT_NE(all.find("layer 11\n"), all.npos);
  EXPECT_GT(lines(all), lines(once) + 11 * 8);
}

TEST(Explain, LayersThatDifferAreShownApart) {
  Stage s = stages("gpt2").back();
  for (auto& v : s.program.values)
    if (v.name == "layers.4.up") v.type.dtype = DType::f16;  // as heavy as bf16
  std::string text = explain(s, BatchShape::parse("1@10"));
  EXPECT_NE(text.find("layer x12"), text.npos);
  for (auto& v : s.program.values)
    if (v.name == "layers.4.up") v.type.dtype = DType::f32;
  text = explain(s, BatchShape::parse("1@10"));
  for (const char* part : {"layer x4\n", "layer 4\n", "layer x7\n", "bf16 + f32"})
    EXPECT_NE(text.find(part), text.npos) << part;
}

TEST(Explain, JsonHasTheNumbersOfTheText) {
  auto s = stages("smollm2-135m");
  BatchShape batch = BatchShape::parse("64x1@1000,512@512");
  auto json = explain_json(s.back(), batch);
  Totals t = totals(s.back().program);
  EXPECT_EQ(json["params"], 134515008);
  EXPECT_EQ(json["batch"], batch.text());
  EXPECT_EQ(json["totals"].size(), 9u);
  for (const char* key :
       {"matmul_flops", "head_flops", "attention_flops", "elementwise_flops", "layer_matmul_weight_bytes",
        "head_weight_bytes", "kv_read_bytes", "kv_write_bytes", "activation_bytes"}) {
    EXPECT_TRUE(json["totals"].contains(key)) << key;
    EXPECT_TRUE(json["formulas"].contains(key)) << key;
  }
  EXPECT_EQ(json["totals"]["attention_flops"], t.attention_flops.at(batch));
  EXPECT_EQ(json["formulas"]["attention_flops"], t.attention_flops.text());
  EXPECT_EQ(json["memory"]["peak_activation_bytes"], plan_memory(s.back().program, batch).peak);
  int64_t flops = 0, bytes = 0;
  for (const auto& op : json["ops"]) {
    flops += op["matmul_flops"].get<int64_t>() + op["attention_flops"].get<int64_t>() +
             op["elementwise_flops"].get<int64_t>();
    for (const auto& n : op["bytes"]) bytes += n.get<int64_t>();
  }
  EXPECT_EQ(flops, json["step"]["flops"]);
  EXPECT_EQ(bytes, json["step"]["bytes"]);
  EXPECT_EQ(json["ops"].size(), s.back().program.nodes.size());
}

TEST(Explain, WithoutACacheSaysWhatIsComputed) {
  auto s = stages("gpt2");
  auto json = explain_json(s[0], BatchShape::parse("1@99"));
  EXPECT_EQ(json["computed_batch"], "100");
  EXPECT_EQ(json["totals"]["matmul_flops"], int64_t{16986931200});
  EXPECT_NE(explain(s[0], BatchShape::parse("1@99")).find("every token is computed again"), std::string::npos);
  EXPECT_EQ(explain(s.back(), BatchShape::parse("1@99")).find("every token is computed again"), std::string::npos);
}

TEST(Difference, FusionSavesBytesAndNoFlops) {
  auto s = stages("llama-3-8b");
  auto json = difference_json(s[3], s[4], BatchShape::parse("16x1@300"));
  EXPECT_EQ(json["before"]["pass"], "quantize_activations");
  EXPECT_EQ(json["before"]["flops"], json["after"]["flops"]);
  EXPECT_GT(json["before"]["bytes"], json["after"]["bytes"]);
  EXPECT_GT(json["before"]["ops"], json["after"]["ops"]);
  EXPECT_GE(json["before"]["peak_activation_bytes"], json["after"]["peak_activation_bytes"]);
  for (const char* side : {"before", "after"}) {
    int64_t ops = 0, bytes = 0;
    for (const auto& kind : json["by_op"])
      ops += kind[side]["ops"].get<int64_t>(), bytes += kind[side]["bytes"].get<int64_t>();
    EXPECT_EQ(ops, json[side]["ops"]);
    EXPECT_EQ(bytes, json[side]["bytes"]);
  }
}

TEST(Words, SayTheStep) {
  auto of = [](const char* text) { return words(BatchShape::parse(text)); };
  EXPECT_EQ(of("1@1000"), "1 sequence, 1 new token on 1,000 cached");
  EXPECT_EQ(of("8192"), "1 sequence, 8,192 new tokens");
  EXPECT_EQ(of("64x1@1000"), "64 sequences, each with 1 new token on 1,000 cached");
  EXPECT_EQ(of("64x1@1000,512@512"),
            "65 sequences: 64 with 1 new token on 1,000 cached, 1 with 512 new tokens on 512 cached");
}

TEST(ParameterText, TwoOrThreeDigits) {
  EXPECT_EQ(parameter_text(8030261248), "8.03 B");
  EXPECT_EQ(parameter_text(134515008), "134.5 M");
  EXPECT_EQ(parameter_text(1234), "1,234");
}

}  // namespace
}  // namespace ridgeline
