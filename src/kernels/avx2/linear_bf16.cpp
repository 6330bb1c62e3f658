// bf16 activations by bf16 weights, both widened to fp32.
#include "kernels/avx2/cells.h"
#include "kernels/linear_fma.h"

namespace ridgeline::avx2 {
namespace {

constexpr LinearCells<Fma<DType::bf16, DType::bf16>> table;

}  // namespace

std::span<const Cell> linear_bf16_cells() { return table.cells; }

}  // namespace ridgeline::avx2
