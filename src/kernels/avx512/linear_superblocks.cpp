#include "kernels/avx512/linear_grouped.h"

namespace ridgeline::avx512 {
namespace {

constexpr LinearCells<Grouped<DType::q2_K>, Grouped<DType::q3_K>, Grouped<DType::q4_K>, Grouped<DType::q5_K>,
                      Grouped<DType::q6_K>>
    table;

}  // namespace

std::span<const Cell> linear_superblocks_cells() { return table.cells; }

}  // namespace ridgeline::avx512
