// Arithmetic on sizes that come from outside: a result that does not fit is an error, never a small number.
#pragma once
#include <cstdint>
#include <optional>

namespace ridgeline {

inline std::optional<uint64_t> checked_add(uint64_t a, uint64_t b) {
  uint64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return {};
  return sum;
}
inline std::optional<uint64_t> checked_mul(uint64_t a, uint64_t b) {
  uint64_t product;
  if (__builtin_mul_overflow(a, b, &product)) return {};
  return product;
}
// The least multiple of `to` (a power of two) that is not below `n`.
inline std::optional<uint64_t> checked_align(uint64_t n, uint64_t to) {
  auto up = checked_add(n, to - 1);
  if (!up) return {};
  return *up & ~(to - 1);
}

}  // namespace ridgeline
