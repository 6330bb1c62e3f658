#include "kernels/kernel_set.h"

#include <immintrin.h>

#include "kernels/processor.h"

namespace ridgeline {
namespace {

constexpr const KernelSet* all_sets[] = {&avx512_kernels, &avx2_kernels};

std::string fault_of(const KernelSet& set) {
  if (!set.supported()) return fmt::format("the processor or the operating system lacks {}", set.needs);
  unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);  // flush to zero, denormals are zero: as kernels run
  std::string fault = set.self_test();
  _mm_setcsr(before);
  return fault;
}

}  // namespace

// The compiler's run-time support asks the processor, and XGETBV whether the operating system saves the registers.
bool processor_has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}
bool processor_has_avx512() {
  return processor_has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16");
}

std::vector<Cell> KernelSet::cells() const {
  std::vector<Cell> all;
  for (CellTable table : tables) all.insert(all.end(), table().begin(), table().end());
  return all;
}

const Cell* KernelSet::find(std::string_view op, Signature signature) const {
  for (CellTable table : tables)
    for (const Cell& cell : table())
      if (cell.op == op && cell.signature == signature) return &cell;
  return nullptr;
}

std::span<const KernelSet* const> kernel_sets() { return all_sets; }

const std::vector<KernelSetStatus>& kernel_set_status() {
  static const std::vector<KernelSetStatus> status = [] {
    std::vector<KernelSetStatus> list;
    for (const KernelSet* set : all_sets) list.push_back({set, fault_of(*set)});
    return list;
  }();
  return status;
}

std::vector<const KernelSet*> usable_kernel_sets(std::string_view best) {
  std::vector<const KernelSet*> usable;
  if (best == "reference") return usable;
  std::string known;
  bool found = best.empty();
  for (const auto& [set, fault] : kernel_set_status()) {
    known += std::string(set->name) + ", ";
    if (set->name == best && !fault.empty())
      fail(ExitCode::unavailable, "kernel_set", "kernel set {} does not run here: {}", best, fault);
    found |= set->name == best;
    if (found && fault.empty()) usable.push_back(set);
  }
  if (!found) fail(ExitCode::usage, "kernel_set", "there is no kernel set '{}'; expected {}or reference", best, known);
  return usable;
}

}  // namespace ridgeline
