#include "kernels/avx2/linear_grouped.h"

namespace ridgeline::avx2 {
namespace {

constexpr LinearCells<Grouped<DType::q8_0>, Grouped<DType::q4_0>, Grouped<DType::q4_1>, Grouped<DType::q5_0>,
                      Grouped<DType::q5_1>>
    table;

}  // namespace

std::span<const Cell> linear_grouped_cells() { return table.cells; }

}  // namespace ridgeline::avx2
