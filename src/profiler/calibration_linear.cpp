#include "profiler/calibration_linear.h"

#include "ops/linear.h"
#include "profiler/calibration_bursts.h"
#include "tensor/panels.h"

namespace ridgeline {
namespace {

DType activations_for(DType weights) {
  return is_grouped(weights) ? DType::q8 : weights == DType::bf16 ? DType::bf16 : DType::f32;
}

constexpr size_t operand_bytes = RepeatedLinear::prompt_rows * RepeatedLinear::size * sizeof(float);

}  // namespace

void fill_moderate(std::span<std::byte> memory, Team& team) {
  // By those who will read it, so that on a machine of several nodes it lies near them.
  auto* halves = reinterpret_cast<uint16_t*>(memory.data());
  team.run([&](Worker& w) {
    auto [begin, end] = w.share(static_cast<int64_t>(memory.size() / 2));
    for (int64_t i = begin; i < end; ++i)
      halves[i] = static_cast<uint16_t>(0x3c00 + (static_cast<uint64_t>(i) * 2654435761u >> 26) % 64);
  });
}

std::optional<RepeatedLinear> RepeatedLinear::make(DType weights, int64_t rows, std::span<std::byte> pool, Team& team) {
  RepeatedLinear r;
  for (const KernelSet* set : usable_kernel_sets())
    if ((r.cell_ = set->find(Linear::name, {activations_for(weights), weights}))) {
      r.set_ = set;
      break;
    }
  if (!r.cell_) return {};
  r.weights_ = weights, r.rows_ = rows, r.pool_ = pool, r.team_ = &team;
  r.copies_ = static_cast<int64_t>(pool.size()) / packed_bytes(weights, size, size);
  require(r.copies_ > 0, "{} bytes hold no matrix", pool.size());
  r.own_ = LargeMemory(2 * operand_bytes);
  fill_moderate({r.own_.data(), r.own_.size()}, team);
  return r;
}

std::string RepeatedLinear::name() const {
  return fmt::format("linear {}, {} {}", name_of(weights_), rows_, rows_ == 1 ? "row" : "rows");
}

double RepeatedLinear::seconds_each(double seconds) {
  const Value x{0}, weight{1};
  const Op op = Linear{x, weight, {}};
  const Values results{Value{2}};
  int64_t matrix = packed_bytes(weights_, size, size), first = next_;
  auto operands = [&](int64_t i) {
    return std::vector<Tensor>{
        {activations_for(weights_), Layout::rows, rows_, size, own_.data()},
        {weights_, Layout::panels, size, size, pool_.data() + (first + i) % copies_ * matrix},
        {DType::f32, Layout::rows, rows_, size, own_.data() + operand_bytes},
    };
  };
  std::vector<std::vector<Tensor>> all;
  for (int64_t i = 0; i < copies_; ++i) all.push_back(operands(i));
  if (cell_->shared_bytes) team_->reserve_shared(cell_->shared_bytes(op, KernelMemory(all[0], results)));
  return ridgeline::seconds_each(*team_, seconds, 1, [&](Worker& w, long i) {
    auto at = static_cast<size_t>(i % copies_);
    if (w.index() == 0) next_ = (first + i + 1) % copies_;
    cell_->run(op, KernelMemory(all[at], results), w);
  });
}

}  // namespace ridgeline
