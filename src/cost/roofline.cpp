#include "cost/roofline.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace ridgeline {
namespace {

// A machine that stores activations as bf16 moves half the bytes of those that the program has in fp32, and of the vectors of
// its weights; logits stay as they are.
Traffic traffic_on(const Program& p, const Cost& c, DType activations) {
  Value logits = p.output("logits");
  Traffic traffic;
  auto add = [&](const Touch& t, auto& to) {
    const Type& type = p.type(t.value);
    bool vector = type.role == Role::weight && !type.is_matrix();
    bool narrower = type.dtype == DType::f32 && ((type.role == Role::activation && t.value != logits) || vector);
    const DTypeRow& row = row_of(narrower ? activations : type.dtype);
    to[static_cast<size_t>(type.role)] += t.elements.scaled(row.block_bytes, row.block);
  };
  for (const Touch& t : c.reads) add(t, traffic.read);
  for (const Touch& t : c.writes) add(t, traffic.written);
  return traffic;
}

double op_seconds(const OpTime& op, const Efficiency& e) {
  double reached = op.cost.attention && e.attention ? e.attention->value : e.compute_with(op.arithmetic);
  double compute = (op.compute - op.vector) / reached + op.vector / e.compute_with(Arithmetic::fp32);
  double memory = op.memory / e.memory.value, longer = std::max(compute, memory), o = e.overlap.value;
  if (o > 0 && longer > 0) longer *= std::pow(1 + std::pow(std::min(compute, memory) / longer, 1 / o), o);
  return longer + e.op.value;
}

}  // namespace

std::string_view name_of(Limit l) { return l == Limit::memory ? "memory" : "compute"; }

StepCost StepTime::cost() const {
  StepCost c{.batch = batch, .sum = sum};
  for (const OpTime& op : ops) c.ops.push_back(op.cost);
  return c;
}

PipelineOptions passes_on(const Hardware& h, PipelineOptions o) {
  if (h.kind == Hardware::Kind::gpu) o.disabled.insert("quantize_activations");
  return o;
}

Arithmetic arithmetic_of(const Program& p, const Node& n, const Hardware& h, const RooflineOptions& o) {
  Cost c = p.cost(n);
  if (c.matmul.is_zero() && c.attention.is_zero()) return Arithmetic::fp32;
  if (h.kind == Hardware::Kind::gpu) return o.math && !c.matmul.is_zero() ? *o.math : Arithmetic::bf16;
  Signature types = p.signature(n);
  if (types.input == DType::q8) return Arithmetic::int8;
  return types.other == DType::bf16 ? Arithmetic::bf16 : Arithmetic::fp32;
}

Roofline::Kind Roofline::kind_of(const Node& n) const {
  Cost c = program_.cost(n);
  Kind k{c.matmul,
         c.attention,
         c.elementwise,
         traffic_on(program_, c, hardware_.activations),
         arithmetic_of(program_, n, hardware_, options_),
         1};
  if (options_.layer_weight_bits && n.layer >= 0 && !c.matmul.is_zero()) {
    const DTypeRow& row = row_of(program_.signature(n).other);
    k.weight_scale =
        *options_.layer_weight_bits / (8.0 * static_cast<double>(row.block_bytes) / static_cast<double>(row.block));
  }
  return k;
}

Roofline::Roofline(Program program, Hardware hardware, RooflineOptions options)
    : program_(std::move(program)), hardware_(std::move(hardware)), options_(options) {
  std::set<int> layers;
  for (const Node& n : program_.nodes) {
    Kind kind = kind_of(n);
    auto at = std::ranges::find(kinds_, kind);
    kind_of_node_.push_back(static_cast<size_t>(at - kinds_.begin()));
    if (at == kinds_.end()) kinds_.push_back(std::move(kind));
    if (n.layer >= 0) layers.insert(n.layer);
  }
  layers_ = static_cast<int>(layers.size());
  for (const auto& v : program_.values)
    if (options_.kv_bits && v.origin == Program::Origin::state)
      kv_scale_ = *options_.kv_bits / (8.0 * static_cast<double>(bytes_of(v.type.dtype, 1)));
}

double Roofline::link_seconds(const StepTime& t, const Efficiency& e) const {
  return t.link_ideal / e.link.value + options_.collectives * e.link_latency.value;
}

double Roofline::calibrated(const StepTime& t, const Efficiency& e) const {
  double seconds = e.step.value + e.layer.value * layers_ + link_seconds(t, e);
  for (const OpTime& op : t.ops) seconds += op_seconds(op, e);
  return seconds;
}

StepTime Roofline::at(const BatchShape& asked) const {
  const Efficiency e = hardware_.efficiency.value_or(Efficiency{});
  StepTime t{.batch = computed_batch(program_, asked)};
  std::vector<OpTime> of_kind;
  for (const Kind& k : kinds_) {
    OpTime op{.cost = {k.matmul.at(t.batch), k.attention.at(t.batch), k.elementwise.at(t.batch)},
              .arithmetic = k.arithmetic};
    for (size_t r = 0; r < role_count; ++r)
      op.cost.read[r] = k.traffic.read[r].at(t.batch), op.cost.written[r] = k.traffic.written[r].at(t.batch);
    auto scale = [](int64_t& bytes, double by) { bytes = std::llround(static_cast<double>(bytes) * by); };
    scale(op.cost.read[static_cast<size_t>(Role::weight)], k.weight_scale);
    for (auto* kv : {&op.cost.read, &op.cost.written}) scale((*kv)[static_cast<size_t>(Role::kv)], kv_scale_);
    auto products = static_cast<double>(op.cost.matmul + op.cost.attention);
    op.compute = products / hardware_.peak(op.arithmetic).figure.value;
    // Without a figure of its vector units, a machine's elementwise arithmetic is taken to hide behind its bytes.
    if (auto fp32 = hardware_.peaks.find(Arithmetic::fp32); fp32 != hardware_.peaks.end())
      op.vector = static_cast<double>(op.cost.elementwise) / fp32->second.value;
    op.compute += op.vector;
    op.memory = static_cast<double>(op.cost.bytes()) / hardware_.bandwidth.value;
    op.ideal = std::max(op.compute, op.memory);
    op.calibrated = op_seconds(op, e);
    of_kind.push_back(op);
  }
  for (size_t kind : kind_of_node_) {
    const OpTime& op = t.ops.emplace_back(of_kind[kind]);
    t.sum += op.cost;
    (op.limit() == Limit::compute ? t.compute : t.memory) += op.ideal;
    t.ideal += op.ideal, t.overhead += e.op.value;
  }
  t.overhead += e.step.value + e.layer.value * layers_;
  if (hardware_.link)
    t.link_ideal =
        static_cast<double>(Count(Symbol::tokens).at(t.batch)) * options_.link_bytes_per_token / hardware_.link->value;
  t.link_calibrated = link_seconds(t, e);
  t.ideal += t.link_ideal;
  t.calibrated = calibrated(t, e);
  return t;
}

}  // namespace ridgeline
