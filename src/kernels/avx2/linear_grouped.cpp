// q8 activations by grouped weights with AVX2: byte products summed in int16 where they fit (4-bit weights), else as int16.
#include "kernels/avx2/cells.h"
#include "kernels/linear_walk.h"

namespace ridgeline::avx2 {
namespace {

// Keeps a sum in its register: GCC 12 otherwise reorders integer additions until they spill (1.4 to 1.9 times slower).
inline void keep(__m256i& sum) { asm("" : "+x"(sum)); }

template <DType T>
struct Grouped {
  static constexpr DType input = DType::q8, weight = T;
  static constexpr bool bytes = T == DType::q8_0;
  static constexpr int zero = T == DType::q8_0 ? 128 : T == DType::q4_0 ? 8 : 0;
  static constexpr int64_t record = record_bytes(T), scales = bytes ? 1024 : 512;
  // One row's record. quads: 4-bit weights meet bytes, k to k + 3 in a dword; q8_0 weights meet int16, first (k, k + 2) of
  // each quad, then (k + 1, k + 3). start: -zero * sum(a), from which the sum of (q - zero) * a starts.
  struct PackedBlock {
    float scale, scaled_sum;
    uint32_t quads[bytes ? 16 : 8];
    int32_t start;
  };
  // Four rows by two vectors of 8 columns: 8 integer sums, and the weights as two to four vectors.
  static constexpr int rows = 4, few = 4, words = sizeof(PackedBlock) / 4;
  static constexpr int64_t chunk = 16384 / record, expanded = 0;  // half of an L1 of 32 KiB
  static constexpr int streams(int row_count) { return row_count <= 2 ? 4 : 2; }

  static void pack(const Tensor& x, int64_t r, int64_t g, uint32_t* to) {
    const Q8Block& from = x.row_as<Q8Block>(r)[g];
    auto* block = reinterpret_cast<PackedBlock*>(to);
    block->scale = from.scale, block->scaled_sum = from.scaled_sum, block->start = 0;
    __m256i a = load_halves(from.a);
    auto* quads = reinterpret_cast<__m256i*>(block->quads);
    if constexpr (bytes) {
      _mm256_storeu_si256(quads, _mm256_srai_epi16(_mm256_slli_epi16(a, 8), 8));
      _mm256_storeu_si256(quads + 1, _mm256_srai_epi16(a, 8));
    } else {
      _mm256_storeu_si256(quads, a);
    }
    if constexpr (zero != 0) {
      __m256i eight = _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), a), _mm256_set1_epi16(1));
      __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
      __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
      block->start = -zero * _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
    }
  }
  static void expand(const std::byte*, std::byte*) {}

  static __m256 halves(const std::byte* from, int n) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 2 * n)));
  }
  static __m256i quad(const PackedBlock& a, int j) { return _mm256_set1_epi32(static_cast<int>(a.quads[j])); }

  // Two vectors of 8 columns at a time: step h of q8_0 takes columns 16 h and 16 h + 8 on, that of 4-bit types columns 8 h on
  // and 16 + 8 h on, which share their bytes.
  static constexpr int column(int h, int v) { return bytes ? 16 * h + 8 * v : 8 * h + 16 * v; }

  template <int R>
  static void whole_sums(const std::byte* from, int h, const PackedBlock* a, __m256i (&whole)[R][2]) {
    RIDGELINE_UNROLL
    for (int r = 0; r < R; ++r) whole[r][0] = whole[r][1] = _mm256_setzero_si256();
    RIDGELINE_UNROLL
    for (int j = 0; j < 8; ++j) {
      if constexpr (bytes) {
        RIDGELINE_UNROLL
        for (int v = 0; v < 2; ++v) {
          __m256i line = load_halves(from + j * 128 + h * 64 + v * 32);
          __m256i even = _mm256_and_si256(line, _mm256_set1_epi16(255)), odd = _mm256_srli_epi16(line, 8);
          RIDGELINE_UNROLL
          for (int r = 0; r < R; ++r) {
            __m256i products =
                _mm256_add_epi32(_mm256_madd_epi16(even, quad(a[r], j)), _mm256_madd_epi16(odd, quad(a[r], 8 + j)));
            whole[r][v] = _mm256_add_epi32(whole[r][v], products);
            keep(whole[r][v]);
          }
        }
      } else {  // eight sums of two products of at most 15 * 128 fit int16
        __m256i line = load_halves(from + j * 64 + h * 32), nibble = _mm256_set1_epi8(15);
        __m256i low = _mm256_and_si256(line, nibble), high = _mm256_and_si256(_mm256_srli_epi16(line, 4), nibble);
        RIDGELINE_UNROLL
        for (int r = 0; r < R; ++r) {
          whole[r][0] = _mm256_add_epi16(whole[r][0], _mm256_maddubs_epi16(low, quad(a[r], j)));
          whole[r][1] = _mm256_add_epi16(whole[r][1], _mm256_maddubs_epi16(high, quad(a[r], j)));
          keep(whole[r][0]), keep(whole[r][1]);
        }
      }
    }
    RIDGELINE_UNROLL
    for (int i = 0; i < 2 * R; ++i) {
      __m256i& sum = whole[i / 2][i % 2];
      if constexpr (!bytes) sum = _mm256_madd_epi16(sum, _mm256_set1_epi16(1));
      if constexpr (zero != 0) sum = _mm256_add_epi32(sum, _mm256_set1_epi32(a[i / 2].start));
    }
  }

  // c[R][32] += one record
  template <int R>
  static void add_record(const std::byte* from, const PackedBlock* a, float* c) {
    for (int h = 0; h < 2; ++h) {
      __m256i whole[R][2];
      whole_sums<R>(from, h, a, whole);
      RIDGELINE_UNROLL
      for (int v = 0; v < 2; ++v) {
        int n = column(h, v);
        __m256 scale = halves(from + scales, n);
        RIDGELINE_UNROLL
        for (int r = 0; r < R; ++r) {
          float* to = c + r * panel_columns + n;
          __m256 product = _mm256_mul_ps(scale, _mm256_set1_ps(a[r].scale));
          __m256 sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole[r][v]), product, _mm256_loadu_ps(to));
          if constexpr (T == DType::q4_1)
            sum = _mm256_fmadd_ps(halves(from + scales + 64, n), _mm256_set1_ps(a[r].scaled_sum), sum);
          _mm256_storeu_ps(to, sum);
        }
      }
    }
  }

  template <int R, int P>
  static void stream(const std::byte* const* panels, const uint32_t* packed, float* c, int64_t records) {
    constexpr int64_t ahead =
        ceil_div(8192 / P, record) * record;  // 8 KiB on their way: the latency of memory at its full rate
    std::memset(c, 0, sizeof(float) * P * R * panel_columns);
    auto* a = reinterpret_cast<const PackedBlock*>(packed);
    for (int64_t g = 0; g < records; ++g, a += R)
      for (int p = 0; p < P; ++p) {
        const std::byte* from = panels[p] + g * record;
        prefetch_bytes<record>(from + ahead);
        add_record<R>(from, a, c + p * R * panel_columns);
      }
  }
  template <int R>
  static void block(const std::byte* weights, const uint32_t* packed, float* c, int64_t records, Ahead ahead) {
    auto* a = reinterpret_cast<const PackedBlock*>(packed);
    for (int64_t g = 0; g < records; ++g, a += R, weights += record) {
      ahead.fetch_record<R * sizeof(PackedBlock)>();
      add_record<R>(weights, a, c);
    }
  }
};

constexpr LinearCells<Grouped<DType::q8_0>, Grouped<DType::q4_0>, Grouped<DType::q4_1>> table;

}  // namespace

std::span<const Cell> linear_grouped_cells() { return table.cells; }

}  // namespace ridgeline::avx2
