// fp32 activations by f32 and f16 weights.
#include "kernels/avx512/cells.h"
#include "kernels/linear_fma.h"

namespace ridgeline::avx512 {
namespace {

constexpr LinearCells<Fma<DType::f32, DType::f32>, Fma<DType::f32, DType::f16>> table;

}  // namespace

std::span<const Cell> linear_f32_cells() { return table.cells; }

}  // namespace ridgeline::avx512
