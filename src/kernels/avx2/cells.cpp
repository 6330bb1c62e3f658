#include "kernels/avx2/cells.h"

#include "kernels/processor.h"
#include "kernels/self_test.h"

namespace ridgeline {
namespace {

std::string self_test() {
  std::string fault = check_arithmetic();
  return fault.empty() ? check_halves() : fault;
}

constexpr CellTable tables[] = {avx2::linear_grouped_cells, avx2::linear_superblocks_cells, avx2::linear_bf16_cells,
                                avx2::linear_f32_cells,     avx2::attention_cells,          avx2::elementwise_cells};

}  // namespace

constinit const KernelSet avx2_kernels = {"avx2", "AVX2, FMA and F16C", processor_has_avx2, self_test, tables};

}  // namespace ridgeline
