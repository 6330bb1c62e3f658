#include "kernels/ceilings.h"

#include <immintrin.h>

#include "kernels/ceilings_loop.h"
#include "kernels/processor.h"

namespace ridgeline {
namespace {

constexpr size_t chains = 24;  // of 32 registers

void fma() {
  __m512 x = _mm512_set1_ps(0.75f), y = _mm512_set1_ps(0.5f);
  repeat<chains>(y, [=](__m512 a) { return _mm512_fmadd_ps(x, y, a); });
}
void bf16_dot() {
  auto x = reinterpret_cast<__m512bh>(_mm512_set1_epi16(0x3f40)),
       y = reinterpret_cast<__m512bh>(_mm512_set1_epi16(0x3f00));
  repeat<chains>(_mm512_set1_ps(0.5f), [=](__m512 a) { return _mm512_dpbf16_ps(a, x, y); });
}
void int8_dot() {
  __m512i x = _mm512_set1_epi8(3), y = _mm512_set1_epi8(-5);
  repeat<chains>(x, [=](__m512i a) { return _mm512_dpbusd_epi32(a, x, y); });
}
constexpr Peak peaks[] = {
    {ComputeKind::fma, "vfmadd zmm", 32.0 * chains* peak_rounds, fma},
    {ComputeKind::bf16_dot, "vfmadd zmm", 32.0 * chains* peak_rounds, fma},
    {ComputeKind::bf16_dot, "vdpbf16ps zmm", 64.0 * chains* peak_rounds, bf16_dot},
    {ComputeKind::int8_dot, "vpdpbusd zmm", 128.0 * chains* peak_rounds, int8_dot},
};

template <size_t streams>
void read(const std::byte* at, size_t stride, size_t bytes) {
  read_streams<streams>(
      at, stride, bytes, _mm512_setzero_si512(), [](const std::byte* p) { return _mm512_loadu_si512(p); },
      [](__m512i a, __m512i b) { return _mm512_xor_si512(a, b); });
}

}  // namespace

constinit const Ceilings avx512_ceilings{processor_has_avx512, {read<1>, read<2>, read<4>, read<8>}, peaks};

}  // namespace ridgeline
