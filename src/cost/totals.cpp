#include "cost/totals.h"

#include <numeric>

namespace ridgeline {

Totals totals(const Program& p) {
  Totals t{.params = p.parameters()};
  for (const auto& n : p.nodes) {
    Cost c = p.cost(n);
    Traffic traffic = p.traffic(c);
    (n.layer < 0 ? t.head_flops : t.matmul_flops) += c.matmul;
    t.attention_flops += c.attention;
    t.elementwise_flops += c.elementwise;
    t.traffic += traffic;
    if (!c.matmul.is_zero()) {
      std::erase_if(c.reads, [&](const Touch& r) { return !p.type(r.value).is_matrix(); });
      (n.layer < 0 ? t.head_weight_bytes : t.layer_matmul_weight_bytes) += p.traffic({.reads = c.reads}).total();
    }
  }
  auto at = [](Role r) { return static_cast<size_t>(r); };
  t.kv_read_bytes = t.traffic.read[at(Role::kv)];
  t.kv_write_bytes = t.traffic.written[at(Role::kv)];
  t.activation_bytes = t.traffic.read[at(Role::activation)] + t.traffic.written[at(Role::activation)];
  return t;
}

std::span<const TotalRow> total_rows() {
  static constexpr TotalRow rows[] = {
      {"matmul_flops", "layer matmul FLOP", &Totals::matmul_flops},
      {"head_flops", "head FLOP", &Totals::head_flops},
      {"attention_flops", "attention FLOP", &Totals::attention_flops},
      {"elementwise_flops", "elementwise FLOP", &Totals::elementwise_flops},
      {"layer_matmul_weight_bytes", "layer weight bytes", &Totals::layer_matmul_weight_bytes},
      {"head_weight_bytes", "head weight bytes", &Totals::head_weight_bytes},
      {"kv_read_bytes", "KV bytes read", &Totals::kv_read_bytes},
      {"kv_write_bytes", "KV bytes written", &Totals::kv_write_bytes},
      {"activation_bytes", "activation bytes", &Totals::activation_bytes},
  };
  return rows;
}

BatchShape computed_batch(const Program& p, const BatchShape& batch) {
  return p.is_cached() ? batch : batch.uncached();
}

int64_t OpCost::bytes() const {
  return std::accumulate(read.begin(), read.end(), std::accumulate(written.begin(), written.end(), int64_t{0}));
}

double OpCost::intensity() const { return bytes() ? static_cast<double>(flops()) / static_cast<double>(bytes()) : 0; }

OpCost& OpCost::operator+=(const OpCost& o) {
  matmul += o.matmul, attention += o.attention, elementwise += o.elementwise;
  for (size_t r = 0; r < role_count; ++r) read[r] += o.read[r], written[r] += o.written[r];
  return *this;
}

StepCost step_cost(const Program& p, const BatchShape& asked) {
  StepCost step{.batch = computed_batch(p, asked)};
  for (const auto& n : p.nodes) {
    Cost c = p.cost(n);
    Traffic t = p.traffic(c);
    OpCost o{c.matmul.at(step.batch), c.attention.at(step.batch), c.elementwise.at(step.batch)};
    for (size_t r = 0; r < role_count; ++r)
      o.read[r] = t.read[r].at(step.batch), o.written[r] = t.written[r].at(step.batch);
    step.sum += step.ops.emplace_back(o);
  }
  return step;
}

}  // namespace ridgeline
