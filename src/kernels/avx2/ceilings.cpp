#include "kernels/ceilings.h"

#include <immintrin.h>

#include "kernels/ceilings_loop.h"
#include "kernels/processor.h"

namespace ridgeline {
namespace {

constexpr size_t chains = 12;  // of 16 registers

void fma() {
  __m256 x = _mm256_set1_ps(0.75f), y = _mm256_set1_ps(0.5f);
  repeat<chains>(y, [=](__m256 a) { return _mm256_fmadd_ps(x, y, a); });
}
void dot() {
  __m256i y = _mm256_set1_epi8(3);
  repeat<chains>(y, [=](__m256i a) { return _mm256_maddubs_epi16(a, y); });
}
constexpr Peak peaks[] = {
    {ComputeKind::fma, "vfmadd ymm", 16.0 * chains* peak_rounds, fma},
    {ComputeKind::bf16_dot, "vfmadd ymm", 16.0 * chains* peak_rounds, fma},
    {ComputeKind::int8_dot, "vpmaddubsw ymm", 64.0 * chains* peak_rounds, dot},
};

template <size_t streams>
void read(const std::byte* at, size_t stride, size_t bytes) {
  read_streams<streams>(
      at, stride, bytes, _mm256_setzero_si256(),
      [](const std::byte* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); },
      [](__m256i a, __m256i b) { return _mm256_xor_si256(a, b); });
}

}  // namespace

constinit const Ceilings avx2_ceilings{processor_has_avx2, {read<1>, read<2>, read<4>, read<8>}, peaks};

}  // namespace ridgeline
