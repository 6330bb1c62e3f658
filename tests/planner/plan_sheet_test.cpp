#include "planner/plan_sheet.h"

#include <gtest/gtest.h>

#include "base/refused.h"
#include "planner/sheet_text.h"

namespace ridgeline {
namespace {

Plan plan_of(const char* model, const char* hardware, bool engine = false) {
  PlanRequest request;
  Situation& s = request.situation;
  s.model = model, s.config = from_catalogue(model).config, s.hardware = hardware_named(hardware);
  if (engine) s.hardware.efficiency = s.hardware.engines.at("vllm");
  return make_plan(std::move(request));
}

TEST(PlanSheet, HasTheNumbersOfThePlan) {
  for (auto [model, hardware, engine] :
       {std::tuple{"llama-3-8b", "h100", false}, {"llama-3-8b", "h100", true}, {"qwen3-0.6b", "epyc-9755", false}}) {
    Plan p = plan_of(model, hardware, engine);
    Sheet s = plan_sheet(p);
    auto value = [&](const std::string& name) { return static_cast<double>(s.value(name)); };
    const DeviceMemory& m = p.deployment->memory();
    EXPECT_EQ(s.value("kv.tokens"), m.kv_tokens());
    EXPECT_EQ(s.value("kv.paged"), p.deployment->paged_sequences(1024));
    EXPECT_EQ(s.value("memory.free"), m.free);
    for (const DecodePoint& point : p.decode) {
      std::string name = "decode." + std::to_string(point.sequences);
      EXPECT_NEAR(value(name + ".seconds"), point.step.ideal, 1e-12) << name;
      EXPECT_NEAR(value(name + ".intensity"), point.intensity, 1e-9) << name;
      if (engine) { EXPECT_NEAR(value(name + ".expected"), point.step.calibrated, 1e-12) << name; }
    }
    EXPECT_NEAR(value("prefill.seconds"), p.prefill.ideal, 1e-12);
    EXPECT_NEAR(value("batching.intensity"), p.ceiling.intensity, 1e-9);
    EXPECT_EQ(s.value("prefill.flops"), p.prefill_step.sum.flops());
  }
}

TEST(PlanSheet, KnowsWhatANumberIsSensitiveTo) {
  Plan p = plan_of("llama-3-8b", "h100");
  Sheet s = plan_sheet(p);
  auto percent = [](const Sheet::Reason& r, std::string_view name) {
    for (const auto& x : r.sensitivities)
      if (x.name == name) return static_cast<double>(x.percent);
    return 0.0;
  };
  Sheet::Reason decode = s.why("decode.seconds");
  EXPECT_NEAR(percent(decode, "hardware.bandwidth"), -1, 0.01);  // memory is all of it
  EXPECT_EQ(percent(decode, "hardware.bf16"), 0);
  EXPECT_NEAR(percent(decode, "situation.context"), 0.0087, 0.001);  // KV is 0.9 % of what is read
  Sheet::Reason prefill = s.why("prefill.seconds");
  EXPECT_NEAR(percent(prefill, "hardware.bf16"), -0.96, 0.03);
  EXPECT_NEAR(percent(prefill, "situation.prompt"), 1.13, 0.05);
  Sheet::Reason tokens = s.why("kv.tokens");
  EXPECT_NEAR(percent(tokens, "hardware.capacity"), 0.9 * 80e9 / 55939477504.0, 0.01);
  std::string text = reason_text(decode);
  for (auto words : {"decode.seconds", "4.52", "hardware.bandwidth", "NVIDIA H100 data sheet", "step_seconds"})
    EXPECT_NE(text.find(words), text.npos) << words << "\n" << text;
  EXPECT_TRUE(refused(ExitCode::usage, "unknown_quantity", {"decode.seconds"}, [&] { s.why("decode.second"); }));
}

}  // namespace
}  // namespace ridgeline
