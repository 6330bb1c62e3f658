#include "kernels/elementwise.h"

#include "kernels/avx2/cells.h"

namespace ridgeline::avx2 {

std::span<const Cell> elementwise_cells() { return elementwise_table; }

}  // namespace ridgeline::avx2
