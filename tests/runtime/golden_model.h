// A golden of tests/data/goldens (made by scripts/goldens) and the model file it belongs to, run through the whole pipeline.
#pragma once
#include <cmath>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "formats/open.h"
#include "goldens.h"
#include "passes/passes.h"
#include "runtime/executor.h"

namespace ridgeline {

inline nlohmann::json golden(const std::string& name) {
  std::ifstream in(std::string(RIDGELINE_TEST_DATA) + "/goldens/" + name + ".json");
  return nlohmann::json::parse(in);
}

// A model file run without an Instance: the program may be changed before the passes.
class GoldenModel {
 public:
  struct Options {
    std::optional<DType> weights;  // none: as in the file
    DType kv = DType::f32;
    std::set<std::string> disabled = {};
    std::function<Program(const Program&)> mutate = {};
    std::string kernels = {};
    int threads = 1;
    std::function<ModelConfig(ModelConfig)> configure = {};
  };
  GoldenModel(const std::string& path, const Options& o) : files_(open_checkpoint(path)), team_(o.threads) {
    ModelConfig config = read_model_config(*files_).config;
    if (o.configure) config = o.configure(config);
    Program p = build("golden", DType::f32, config);
    if (o.mutate) p = o.mutate(p);
    auto matrix = [&](const std::string& weight, DType) {
      return o.weights ? *o.weights : *files_->source(config, weight).tensor.dtype;
    };
    p = apply(std::move(p), {.retype = {matrix, o.kv}, .disabled = o.disabled});
    weights_ = Weights::load(p, *files_, config, team_);
    constexpr int64_t blocks = 64;
    if (p.is_cached()) kv_.emplace(p, head_dim_of(config), blocks);
    executor_.emplace(std::move(p), *weights_, kv_ ? &*kv_ : nullptr, team_, usable_kernel_sets(o.kernels));
  }
  // Logits of every token of a sequence computed whole, [tokens, vocab].
  std::vector<float> logits(const std::vector<int32_t>& ids) {
    std::vector<int32_t> blocks;
    for (int32_t b = 0; static_cast<size_t>(b) * 32 < ids.size(); ++b) blocks.push_back(63 - 2 * b);  // scattered
    StepSequence s{ids, 0, blocks, static_cast<int64_t>(ids.size())};
    Logits l = executor_->step({&s, 1});
    return {l.data, l.data + l.rows * l.vocab};
  }
  Executor& executor() { return *executor_; }

 private:
  std::unique_ptr<Checkpoint> files_;
  Team team_;
  std::optional<Weights> weights_;
  std::optional<KvMemory> kv_;
  std::optional<Executor> executor_;
};

// The greatest difference between a model's logits and a golden's, over all its prompts.
inline double worst_difference(GoldenModel& model, const nlohmann::json& golden) {
  double worst = 0;
  for (const auto& prompt : golden["prompts"]) {
    auto logits = model.logits(prompt["ids"].get<std::vector<int32_t>>());
    size_t at = 0;
    for (const auto& row : prompt["logits"])
      for (double want : row) worst = std::max(worst, std::abs(static_cast<double>(logits.at(at++)) - want));
  }
  return worst;
}

}  // namespace ridgeline
