// Rows of keys and values rounded into bf16 pages (tensor/pages.h): pairs of a key lie 128 bytes apart, elements of a value 4.
#pragma once
#include "kernels/vector.h"
#include "tensor/pages.h"

namespace ridgeline {
namespace {

// The n elements of one head and token, to where its first one lies in the page.
inline void put_keys(const float* x, int64_t n, std::byte* to) {
  for (int64_t d = 0; d < n; d += 16) {
    alignas(32) uint32_t pairs[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(pairs), to_bf16(load_first(x + d, n - d)));
    for (int64_t i = 0; i < 8 && d + 2 * i < n; ++i) std::memcpy(to + (d / 2 + i) * 4 * page_tokens, &pairs[i], 4);
  }
}
inline void put_values(const float* x, int64_t n, std::byte* to) {
  for (int64_t d = 0; d < n; d += 16) {
    alignas(32) uint16_t halves[16];
    _mm256_store_si256(reinterpret_cast<__m256i*>(halves), to_bf16(load_first(x + d, n - d)));
    for (int64_t i = 0; i < 16 && d + i < n; ++i) std::memcpy(to + (d + i) * 4, &halves[i], 2);
  }
}

}  // namespace
}  // namespace ridgeline
