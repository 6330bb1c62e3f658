// The tables that make up the set of this folder, one for each of its files.
#pragma once
#include "kernels/kernel_set.h"

namespace ridgeline::avx2 {

std::span<const Cell> linear_grouped_cells();      // linear_grouped.cpp
std::span<const Cell> linear_superblocks_cells();  // linear_superblocks.cpp
std::span<const Cell> linear_bf16_cells();         // linear_bf16.cpp
std::span<const Cell> linear_f32_cells();          // linear_f32.cpp
std::span<const Cell> elementwise_cells();         // elementwise.cpp
std::span<const Cell> attention_cells();           // attention.cpp

}  // namespace ridgeline::avx2
