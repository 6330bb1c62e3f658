#include "kernels/avx512/cells.h"

#include "kernels/processor.h"
#include "kernels/self_test.h"

namespace ridgeline {
namespace {

// Values at the edges of bf16, and between.
constexpr uint16_t bf16_edges[] = {0x0000, 0x8000, 0x0001, 0x807f, 0x0080, 0x8080, 0x00ff, 0x1f80,
                                   0x3f80, 0xbf80, 0x3f81, 0xbfff, 0x4049, 0xc2f7, 0x5f01, 0xdf7f,
                                   0x7f7f, 0xff7f, 0x7f80, 0xff80, 0x7fc0, 0x3c03};
constexpr uint32_t edge_count = sizeof bf16_edges / sizeof *bf16_edges;

// vdpbf16ps(c, a, b) must be fma(a.low, b.low, fma(a.high, b.high, c)): the manual does not say so for every processor.
std::string check_bf16_dot() {
  uint32_t random = 1;
  auto next = [&random] { return random = random * 1664525 + 1013904223, random >> 8; };
  for (int round = 0; round < 512; ++round) {
    alignas(64) uint32_t a[16], b[16], c[16];
    for (int i = 0; i < 16; ++i) {
      auto edge = [&] { return uint32_t{bf16_edges[next() % edge_count]}; };
      auto any = [&] { return edge() ^ (next() % 4 ? next() & 0x1ff : 0); };
      a[i] = any() << 16 | any(), b[i] = any() << 16 | any(), c[i] = any() << 16 | (next() & 0xffff);
    }
    __m512i x = _mm512_load_si512(a), y = _mm512_load_si512(b), high = _mm512_set1_epi32(static_cast<int>(0xffff0000));
    __m512 start = _mm512_load_ps(c);
    auto f32 = [](__m512i bits) { return _mm512_castsi512_ps(bits); };
    __m512 first = _mm512_fmadd_ps(f32(_mm512_and_si512(x, high)), f32(_mm512_and_si512(y, high)), start);
    __m512 both = _mm512_fmadd_ps(f32(_mm512_slli_epi32(x, 16)), f32(_mm512_slli_epi32(y, 16)), first);
    __m512 dot = _mm512_dpbf16_ps(start, (__m512bh)x, (__m512bh)y);
    __mmask16 differ = _mm512_cmpneq_epi32_mask(_mm512_castps_si512(dot), _mm512_castps_si512(both));
    __mmask16 nans = _mm512_cmp_ps_mask(dot, dot, _CMP_UNORD_Q) & _mm512_cmp_ps_mask(both, both, _CMP_UNORD_Q);
    if (differ & ~nans) return "vdpbf16ps does not round as two fused multiply-adds";
  }
  return "";
}

// vcvtneps2bf16 rounds to nearest even; only denormals, which it flushes, are kept away from it.
std::string check_bf16_rounding() {
  for (uint16_t edge : bf16_edges)
    for (uint32_t low : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      if (!(edge & 0x7f80) || (edge & 0x7fff) > 0x7f80) continue;
      float x = _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(static_cast<int>(uint32_t{edge} << 16 | low))));
      __m256i fast = (__m256i)_mm512_cvtneps_pbh(_mm512_set1_ps(x)), exact = to_bf16(runtime(x));
      if (x == x && _mm256_cmpneq_epi16_mask(fast, exact)) return "vcvtneps2bf16 does not round to nearest even";
    }
  return "";
}

std::string self_test() {
  for (auto check : {check_arithmetic, check_halves, check_bf16_dot, check_bf16_rounding})
    if (std::string fault = check(); !fault.empty()) return fault;
  return "";
}

constexpr CellTable tables[] = {avx512::linear_grouped_cells, avx512::linear_superblocks_cells,
                                avx512::linear_bf16_cells,    avx512::linear_f32_cells,
                                avx512::attention_cells,      avx512::elementwise_cells};

}  // namespace

constinit const KernelSet avx512_kernels = {"avx512", "AVX-512 F, BW, VL, DQ, VNNI and BF16", processor_has_avx512,
                                            self_test, tables};

}  // namespace ridgeline
