// q8 activations by grouped weights, with vpdpbusd: unsigned weights as they lie, signed activations.
#include "kernels/avx512/cells.h"
#include "kernels/linear_walk.h"

namespace ridgeline::avx512 {
namespace {

// One row's record: the block as quantized, and where the sum of (q - zero) * a starts from: -zero * sum(a).
struct PackedBlock {
  float scale, scaled_sum;
  uint32_t quads[8];
  int32_t start;
};

template <DType T>
struct Grouped {
  static constexpr DType input = DType::q8, weight = T;
  static constexpr int zero = T == DType::q8_0 ? 128 : T == DType::q4_0 ? 8 : 0;
  static constexpr int64_t record = record_bytes(T), scales = T == DType::q8_0 ? 1024 : 512;
  // Six rows by two halves of a panel: 12 integer sums, 12 fp32 sums, two lines of weights, and room to spare.
  static constexpr int rows = 6, few = 4, words = sizeof(PackedBlock) / 4;
  static constexpr int64_t chunk = 18432 / record, expanded = 0;  // it and the next one fit into an L1 of 48 KiB
  static constexpr int streams(int row_count) { return row_count <= 2 ? 4 : 2; }

  static void pack(const Tensor& x, int64_t r, int64_t g, uint32_t* to) {
    const Q8Block& from = x.row_as<Q8Block>(r)[g];
    auto* block = reinterpret_cast<PackedBlock*>(to);
    std::memcpy(block, &from, sizeof from);
    if constexpr (zero != 0) {
      __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from.a));
      __m256i eight = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(1), a);
      __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
      __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
      block->start = -zero * _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
    }
  }
  static void expand(const std::byte*, std::byte*) {}

  // The two lines of 16 columns by 4 k of quad j.
  static void lines(const std::byte* from, int j, __m512i& low, __m512i& high) {
    if constexpr (T == DType::q8_0) {
      low = _mm512_loadu_si512(from + j * 128), high = _mm512_loadu_si512(from + j * 128 + 64);
    } else {
      __m512i both = _mm512_loadu_si512(from + j * 64), nibble = _mm512_set1_epi8(15);
      low = _mm512_and_si512(both, nibble), high = _mm512_and_si512(_mm512_srli_epi16(both, 4), nibble);
    }
  }
  static __m512 halves(const std::byte* from, int h) { return _mm512_cvtph_ps(load_halves(from + 32 * h)); }

  template <int R>
  static void add_record(const std::byte* from, const PackedBlock* a, __m512 (&sum)[R][2]) {
    __m512i whole[R][2];
    RIDGELINE_UNROLL
    for (int r = 0; r < R; ++r)
      whole[r][0] = whole[r][1] = zero ? _mm512_set1_epi32(a[r].start) : _mm512_setzero_si512();
    RIDGELINE_UNROLL
    for (int j = 0; j < 8; ++j) {
      __m512i low, high;
      lines(from, j, low, high);
      RIDGELINE_UNROLL
      for (int r = 0; r < R; ++r) {
        __m512i quad = _mm512_set1_epi32(static_cast<int>(a[r].quads[j]));
        whole[r][0] = _mm512_dpbusd_epi32(whole[r][0], low, quad);
        whole[r][1] = _mm512_dpbusd_epi32(whole[r][1], high, quad);
      }
    }
    RIDGELINE_UNROLL
    for (int h = 0; h < 2; ++h) {
      __m512 scale = halves(from + scales, h);
      RIDGELINE_UNROLL
      for (int r = 0; r < R; ++r) {
        __m512 product = _mm512_mul_ps(scale, _mm512_set1_ps(a[r].scale));
        sum[r][h] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole[r][h]), product, sum[r][h]);
        if constexpr (T == DType::q4_1)
          sum[r][h] = _mm512_fmadd_ps(halves(from + scales + 64, h), _mm512_set1_ps(a[r].scaled_sum), sum[r][h]);
      }
    }
  }

  template <int R, int P>
  static void stream(const std::byte* const* panels, const uint32_t* packed, float* c, int64_t records) {
    // All streams together keep about 8 KiB on their way: what covers the latency of memory at its full rate.
    constexpr int64_t ahead = ceil_div(8192 / P, record) * record;
    __m512 sum[P][R][2];
    RIDGELINE_UNROLL
    for (int i = 0; i < P * R * 2; ++i) sum[i / (2 * R)][i / 2 % R][i % 2] = _mm512_setzero_ps();
    auto* a = reinterpret_cast<const PackedBlock*>(packed);
    for (int64_t g = 0; g < records; ++g, a += R) {
      RIDGELINE_UNROLL
      for (int p = 0; p < P; ++p) {
        const std::byte* from = panels[p] + g * record;
        prefetch_bytes<record>(from + ahead);
        add_record<R>(from, a, sum[p]);
      }
    }
    RIDGELINE_UNROLL
    for (int i = 0; i < P * R * 2; ++i) _mm512_store_ps(c + i * 16, sum[i / (2 * R)][i / 2 % R][i % 2]);
  }

  template <int R>
  static void block(const std::byte* weights, const uint32_t* packed, float* c, int64_t records, Ahead ahead) {
    __m512 sum[R][2];
    RIDGELINE_UNROLL
    for (int i = 0; i < R * 2; ++i) sum[i / 2][i % 2] = _mm512_load_ps(c + i * 16);
    auto* a = reinterpret_cast<const PackedBlock*>(packed);
    for (int64_t g = 0; g < records; ++g, a += R, weights += record) {
      ahead.fetch_record<R * sizeof(PackedBlock)>();
      add_record<R>(weights, a, sum);
    }
    RIDGELINE_UNROLL
    for (int i = 0; i < R * 2; ++i) _mm512_store_ps(c + i * 16, sum[i / 2][i % 2]);
  }
};

constexpr LinearCells<Grouped<DType::q8_0>, Grouped<DType::q4_0>, Grouped<DType::q4_1>> table;

}  // namespace

std::span<const Cell> linear_grouped_cells() { return table.cells; }

}  // namespace ridgeline::avx512
