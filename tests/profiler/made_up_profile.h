// A profile with times that a test chose, of a program that no weights belong to.
#pragma once
#include "models/catalogue.h"
#include "passes/passes.h"
#include "profiler/profile.h"

namespace ridgeline {

inline constexpr LlamaConfig made_up_llama() {
  return {.layers = 2, .dim = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .vocab = 50, .context = 128};
}

// Every op takes twice its ideal time, of which a tenth is waiting; barriers 1 us, sampling 2 us, the rest 3 us.
inline Profile made_up_profile(const std::set<std::string>& disabled = {}, const char* batch = "1@20") {
  PipelineOptions options;
  options.retype.matrix = [](const std::string&, DType) { return DType::q8_0; };
  options.disabled = disabled;
  Program program = apply(build("made up", DType::bf16, made_up_llama()), options);
  Profile p{.model = "made up", .batch = BatchShape::parse(batch), .program = program, .threads = 2};
  p.sets.assign(program.nodes.size(), "avx512");
  p.hardware = {.name = "made-up", .title = "a made-up machine", .kind = Hardware::Kind::cpu};
  p.hardware.activations = DType::f32;
  p.hardware.bandwidth = {1e9, "made up"};
  p.hardware.peaks[Arithmetic::int8] = {1e11, "made up"};
  p.hardware.peaks[Arithmetic::fp32] = {1e10, "made up"};
  p.cost = step_cost(program, p.batch);
  for (const OpTime& t : Roofline(program, p.hardware).at(p.batch).ops) {
    p.ops.push_back({t.ideal, 0, 2 * t.ideal, 0.2 * t.ideal, 1e-6});
    p.limits.push_back(t.limit());
    p.ideal += t.ideal;
  }
  p.barriers = std::ssize(p.ops);
  p.sampling = 2e-6, p.unexplained = 3e-6;
  p.step = p.in_ops() + p.in_barriers() + p.sampling + p.unexplained;
  p.steps = 8, p.used = 4;
  return p;
}

}  // namespace ridgeline
