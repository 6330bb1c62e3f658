#include "kernels/elementwise.h"

#include "kernels/avx512/cells.h"

namespace ridgeline::avx512 {

std::span<const Cell> elementwise_cells() { return elementwise_table; }

}  // namespace ridgeline::avx512
