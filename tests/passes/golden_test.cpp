// What each pass makes of a tiny model of each family, as text: read the differences when they change.
#include "golden_text.h"
#include "passes/passes.h"
#include "passes/tiny_models.h"

namespace ridgeline::test {
namespace {

void expect_stages(const std::string& model, const ModelConfig& config) {
  PipelineOptions options;
  options.retype = {[](const std::string& weight, DType now) { return weight == "head" ? now : DType::q4_1; },
                    DType::f32};
  options.textbook = true;
  for (const auto& stage : run_passes(build(model, DType::bf16, config), pipeline(options)))
    expect_golden("passes/" + model + "_" + stage.pass + ".txt", stage.program.text());
}

TEST(Passes, GoldenLlama) { expect_stages("llama", tiny_llama()); }
TEST(Passes, GoldenGpt2) { expect_stages("gpt2", tiny_gpt2()); }

}  // namespace
}  // namespace ridgeline::test
