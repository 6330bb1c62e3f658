#include <algorithm>
#include <chrono>

#include "passes/passes.h"

namespace ridgeline {

std::vector<Pass> pipeline(const PipelineOptions& o) {
  std::vector<Pass> all;
  if (o.retype.matrix || o.retype.kv)
    all.push_back(
        {"retype", {}, {"cached", "quantized", "fused", "expanded"}, "retyped", [r = o.retype](const Program& p) {
           return retype(p, r);
         }});
  all.push_back({"select_logit_rows", {}, {"selected", "quantized", "fused"}, "selected", select_logit_rows});
  all.push_back({"insert_kv_cache", {}, {"cached", "fused", "expanded"}, "cached", insert_kv_cache});
  all.push_back({"quantize_activations", {}, {"quantized", "fused", "expanded"}, "quantized", quantize_activations});
  all.push_back(
      {"fuse", {}, {"fused", "expanded"}, "fused", [d = o.disabled](const Program& p) { return fuse(p, d); }});
  if (o.textbook) all.push_back({"expand", {}, {"expanded"}, "expanded", expand});
  std::erase_if(all, [&](const Pass& pass) { return o.disabled.contains(pass.name); });
  return all;
}

void check_names(const std::set<std::string>& disabled) {
  auto known = fusion_names();
  for (const auto& pass : pipeline({.retype = {.kv = DType::bf16}, .textbook = true})) known.push_back(pass.name);
  for (const auto& name : disabled)
    if (std::find(known.begin(), known.end(), name) == known.end())
      fail(ExitCode::usage, "unknown_pass", "there is no pass or fusion '{}'; there are: {}", name,
           fmt::join(known, ", "));
}

std::vector<Stage> run_passes(Program model, const std::vector<Pass>& passes) {
  verify(model);
  std::vector<Stage> stages;
  stages.push_back({"model", std::move(model), 0});
  for (const auto& pass : passes) {
    const Program& before = stages.back().program;
    for (const auto& f : pass.needs)
      require(before.facts.contains(f), "pass {} needs a program that is {}", pass.name, f);
    for (const auto& f : pass.forbids)
      require(!before.facts.contains(f), "pass {} must come before the program is {}", pass.name, f);
    auto start = std::chrono::steady_clock::now();
    Program after = pass.run(before);
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    after.facts.insert(pass.gives);
    verify(after);
    stages.push_back({pass.name, std::move(after), seconds});
  }
  return stages;
}

Program apply(Program model, const PipelineOptions& options) {
  auto stages = run_passes(std::move(model), pipeline(options));
  return std::move(stages.back().program);
}

}  // namespace ridgeline
