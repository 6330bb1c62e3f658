// The engine's own matrix products beside what the machine does at best: the share of its limits that kernels reach.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/large_memory.h"
#include "kernels/ceilings.h"
#include "kernels/kernel_set.h"

namespace ridgeline {

// One linear [2048 -> 2048] over `rows` rows of activations, by the fastest kernel that runs here, with as many copies of its
// weights as a pool of memory holds, used in turn: no cache has them when they are needed again.
class RepeatedLinear {
 public:
  static constexpr int64_t size = 2048;
  static constexpr int64_t prompt_rows = 512;
  // None: no kernel serves these types here. pool: at least one matrix, filled with moderate numbers.
  static std::optional<RepeatedLinear> make(DType weights, int64_t rows, std::span<std::byte> pool, Team&);

  std::string name() const;  // "linear q8_0, 1 row"
  std::string_view kernels() const { return set_->name; }
  DType weights() const { return weights_; }
  int64_t rows() const { return rows_; }
  double flops() const { return 2.0 * static_cast<double>(rows_ * size * size); }
  double bytes() const { return static_cast<double>(bytes_of(weights_, size * size)); }  // as files have them

  // Seconds one takes, over a burst of at least one.
  double seconds_each(double seconds);

 private:
  RepeatedLinear() = default;
  const KernelSet* set_ = nullptr;
  const Cell* cell_ = nullptr;
  DType weights_ = DType::f32;
  int64_t rows_ = 0, copies_ = 0, next_ = 0;
  std::span<std::byte> pool_;
  LargeMemory own_;  // activations and results
  Team* team_ = nullptr;
};

// Numbers that are moderate in every type of weights and activations.
void fill_moderate(std::span<std::byte>, Team&);

}  // namespace ridgeline
