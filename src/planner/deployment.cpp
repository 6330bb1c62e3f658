#include "planner/deployment.h"

#include <algorithm>
#include <cmath>

#include "program/memory_plan.h"

namespace ridgeline {
namespace {

// Tensor parallelism gathers what its ranks made twice a layer, after attention and after the feed-forward part
// (arXiv 1909.08053): a ring sends 2 (n - 1) / n of the bytes from each device.
RooflineOptions options_of(const Situation& s) {
  RooflineOptions o{.math = s.math, .layer_weight_bits = s.weight_bits, .kv_bits = s.kv_bits};
  if (s.tensor == 1) return o;
  const ModelFacts& f = s.config.facts();
  o.collectives = 2 * f.layers;
  double row = static_cast<double>(bytes_of(s.hardware.activations, f.dim));
  o.link_bytes_per_token = o.collectives * 2.0 * (s.tensor - 1) / s.tensor * row;
  return o;
}

// Vectors of a model (norms, biases) are fp32 in a program; a machine stores them as it does activations.
int64_t stored_bytes(const Type& type, const Hardware& h, std::optional<double> bits = {}) {
  bool narrower = type.dtype == DType::f32 && !type.is_matrix();
  int64_t elements = type.elements().constant();
  if (bits && type.is_matrix()) return std::llround(static_cast<double>(elements) * *bits / 8);
  return bytes_of(narrower ? h.activations : type.dtype, elements);
}

}  // namespace

int64_t DeviceMemory::kv_tokens() const {
  if (free < 0) return 0;
  return kv_per_token ? free / kv_per_token : INT64_MAX;
}

Deployment::Deployment(Situation s) : situation_(std::move(s)) {
  const Situation& now = situation_;
  for (auto [what, n] : {std::pair{"tensor", now.tensor}, {"pipeline", now.pipeline}, {"data", now.data}})
    if (n < 1 || n > 65'536)
      fail(ExitCode::usage, "impossible_split", "{} parallel over {} devices; expected 1 to 65,536", what, n);
  if (now.pipeline > layers_of(now.config))
    fail(ExitCode::usage, "impossible_split", "{} layers cannot be split among {} stages", layers_of(now.config),
         now.pipeline);
  if (now.tensor * now.pipeline > 1 && !now.hardware.link)
    fail(ExitCode::usage, "impossible_split", "{} has no link to other devices: nothing can be split among them",
         now.hardware.title);
  if (!(now.memory_use > 0 && now.memory_use <= 1))
    fail(ExitCode::usage, "memory_use", "a fraction of {} of the memory; expected more than 0, at most 1",
         now.memory_use);
  const ModelConfig& whole = now.config;
  parameters_ = build(now.model, DType::bf16, whole).parameters();
  Program program = apply(build(now.model, DType::bf16, whole.family().shard(whole, now.tensor)),
                          passes_on(now.hardware, now.passes));
  rank_.emplace(std::move(program), now.hardware, options_of(now));
  memory_ = measure();
  int64_t most = -1;
  for (const OpTime& op : step(alike(1, 1, 0)).ops)
    if (op.cost.matmul > most) most = op.cost.matmul, math_ = op.arithmetic;
}

DeviceMemory Deployment::measure() const {
  const Program& p = program();
  const Hardware& h = hardware();
  std::vector<int> layer_of(p.values.size(), -1);
  for (const Node& n : p.nodes)
    for (Value v : n.op.operands()) layer_of[static_cast<size_t>(v.id)] = n.layer;
  int64_t of_layers = 0, before = 0, after = 0, kv = 0;
  bool in_layers = false;
  std::vector<bool> seen(p.values.size());
  for (const Node& n : p.nodes) {
    in_layers |= n.layer >= 0;
    for (Value v : n.op.operands()) {
      const auto& entry = p.entry(v);
      // A tied head is read at both ends: with several stages the first and the last one hold it.
      bool again = seen[static_cast<size_t>(v.id)] && (n.layer >= 0 || situation_.pipeline == 1);
      seen[static_cast<size_t>(v.id)] = true;
      if (again) continue;
      if (entry.origin == Program::Origin::weight && n.layer >= 0)
        of_layers += stored_bytes(entry.type, h, situation_.weight_bits);
      else if (entry.origin == Program::Origin::weight)
        (in_layers ? after : before) += stored_bytes(entry.type, h);
      if (entry.origin == Program::Origin::state) {
        int64_t elements = entry.type.cols();
        kv += situation_.kv_bits ? std::llround(static_cast<double>(elements) * *situation_.kv_bits / 8)
                                 : bytes_of(entry.type.dtype, elements);
      }
    }
  }
  int layers = layers_of(situation_.config), stages = situation_.pipeline;
  int most = (layers + stages - 1) / stages;  // layers of the fullest stage
  DeviceMemory m;
  m.capacity = static_cast<int64_t>(h.capacity.value);
  m.budget = std::llround(h.capacity.value * situation_.memory_use);
  m.weights = stages == 1 ? before + of_layers + after : of_layers / layers * most + std::max(before, after);
  m.kv_per_token = kv / layers * most;
  int64_t tokens = std::min(step_tokens, context());
  int64_t peak = plan_memory(p, computed_batch(p, {{{tokens, 0, 1}}})).peak;
  m.activations = peak * row_of(h.activations).block_bytes / row_of(DType::f32).block_bytes;
  // They live in what the budget leaves; where that is too little, the rest comes out of the KV cache.
  int64_t beside = std::max<int64_t>(0, m.activations - (m.capacity - m.budget));
  m.free = m.budget - m.weights - beside;
  return m;
}

double Deployment::seconds(const Roofline& on, const BatchShape& batch, Times which) const {
  StepTime t = on.at(batch);
  const Hardware& h = on.hardware();
  double seconds = which == Times::ideal ? t.ideal : t.calibrated;
  if (situation_.pipeline == 1) return seconds;
  // Each boundary between stages passes a row of activations a token on.
  const Efficiency e = h.efficiency.value_or(Efficiency{});
  double bytes =
      static_cast<double>(Count(Symbol::tokens).at(t.batch) * bytes_of(h.activations, situation_.config.facts().dim));
  double hop = bytes / h.link->value;
  if (which == Times::calibrated) hop = hop / e.link.value + e.link_latency.value;
  return seconds + hop * (situation_.pipeline - 1);
}

BatchShape Deployment::alike(int64_t sequences, int64_t fresh, int64_t cached) {
  return {std::vector<BatchShape::Sequence>(static_cast<size_t>(sequences), {fresh, cached, 1})};
}

int64_t Deployment::contiguous_sequences(int64_t tokens) const { return memory_.kv_tokens() / tokens; }

int64_t Deployment::paged_sequences(double mean_tokens, int64_t block) const {
  double slack = static_cast<double>(block - 1) / 2;
  return static_cast<int64_t>(static_cast<double>(memory_.kv_tokens()) / (mean_tokens + slack));
}

}  // namespace ridgeline
