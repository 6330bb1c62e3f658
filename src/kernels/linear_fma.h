// fp32 activations by f32 or f16 weights, and bf16 by bf16 where there is no instruction for it: fp32 fused multiply-adds, one
// chain over the even k of a record and one over the odd k.
#pragma once
#include "kernels/linear_walk.h"

namespace ridgeline {
namespace {

// Sixteen columns (half h of the panel) of rows k = 2 i and 2 i + 1 of a record, as fp32.
template <DType T>
void load_pair(const std::byte* record, int i, int h, F32x16& even, F32x16& odd) {
  if constexpr (T == DType::f32) {
    auto* from = reinterpret_cast<const float*>(record) + 2 * i * panel_columns + 16 * h;
    even = load(from), odd = load(from + panel_columns);
  } else if constexpr (T == DType::f16) {
    const std::byte* from = record + (2 * i * panel_columns + 16 * h) * 2;
    even = from_f16(load_halves(from)), odd = from_f16(load_halves(from + panel_columns * 2));
  } else {  // bf16: pairs of k in one dword
    const std::byte* from = record + h * 1024 + i * 64;
#ifdef __AVX512F__
    __m512i pair = _mm512_loadu_si512(from);
    even = _mm512_castsi512_ps(_mm512_slli_epi32(pair, 16));
    odd = _mm512_castsi512_ps(_mm512_and_si512(pair, _mm512_set1_epi32(static_cast<int>(0xffff0000))));
#else
    __m256i low = load_halves(from), high = load_halves(from + 32),
            mask = _mm256_set1_epi32(static_cast<int>(0xffff0000));
    even = {_mm256_castsi256_ps(_mm256_slli_epi32(low, 16)), _mm256_castsi256_ps(_mm256_slli_epi32(high, 16))};
    odd = {_mm256_castsi256_ps(_mm256_and_si256(low, mask)), _mm256_castsi256_ps(_mm256_and_si256(high, mask))};
#endif
  }
}

template <DType X, DType W>
struct Fma {
  static constexpr DType input = X, weight = W;
#ifdef __AVX512F__
  static constexpr int halves = 2, chains = 2;  // at once in a block: 6 rows are 24 accumulators of 32
#else
  static constexpr int halves = 1, chains = 1;  // 6 rows are 12 accumulators of 16
#endif
  static constexpr int rows = 6, few = 4, words = part_depth;
  static constexpr int64_t record = record_bytes(W), expanded = W == DType::f32 ? 0 : 4096;
  static constexpr int64_t chunk = 16384 / 4096;  // beside its activations, it fits into an L1 of 32 KiB
  static constexpr int streams(int row_count) { return row_count <= 2 ? 4 : 2; }

  // Beyond the last k stand -0: with a weight of +0 they leave any sum as it is, -0 too.
  static void pack(const Tensor& x, int64_t r, int64_t g, uint32_t* to) {
    int64_t k = g * part_depth, n = std::min<int64_t>(part_depth, x.cols - k);
    auto* a = reinterpret_cast<float*>(to);
    for (int64_t i = n; i < part_depth; ++i) a[i] = -0.0f;
    if constexpr (X == DType::f32) {
      std::memcpy(a, x.row_as<float>(r) + k, static_cast<size_t>(n) * sizeof(float));
    } else {
      for (int64_t i = 0; i < n; ++i) to[i] = uint32_t{x.row_as<uint16_t>(r)[k + i]} << 16;
    }
  }
  static void expand(const std::byte* from, std::byte* to) {
    auto* k = reinterpret_cast<float*>(to);
    for (int i = 0; i < part_depth / 2; ++i, k += 2 * panel_columns)
      for (int h = 0; h < 2; ++h) {
        F32x16 even, odd;
        load_pair<W>(from, i, h, even, odd);
        store(k + 16 * h, even), store(k + panel_columns + 16 * h, odd);
      }
  }

  template <int R, int P>
  static void stream(const std::byte* const* panels, const uint32_t* packed, float* c, int64_t records) {
    auto* a = reinterpret_cast<const float*>(packed);
    std::memset(c, 0, sizeof(float) * P * R * panel_columns);
    for (int64_t g = 0; g < records; ++g, a += R * words)
      for (int p = 0; p < P; ++p) {
        for (int h = 0; h < 2; ++h)
          stream_record<R, 8192 / P>(panels[p] + g * record, h, a, c + p * R * panel_columns + 16 * h);
      }
  }
  // Half a panel. Where both chains of R rows do not fit into the registers, one after the other. What lies `ahead` is fetched
  // line by line: a whole record at once, of up to 64 lines, halves the rate of four rows.
  template <int R, int64_t ahead>
  static void stream_record(const std::byte* from, int h, const float* a, float* c) {
    constexpr int step = chains == 2 || R <= 2 ? 2 : 1;
    F32x16 sum[2][R];  // even, odd
    RIDGELINE_UNROLL
    for (int chain = 0; chain < 2; chain += step) {
      RIDGELINE_UNROLL
      for (int i = 0; i < step * R; ++i) sum[chain + i / R][i % R] = F32x16(0.0f);
      RIDGELINE_UNROLL
      for (int i = 0; i < part_depth / 2; ++i) {
        constexpr int64_t part = record / part_depth;
        if (chain == 0) prefetch_bytes<part>(from + ahead + (2 * i + h) * part);
        F32x16 w[2];
        load_pair<W>(from, i, h, w[0], w[1]);
        RIDGELINE_UNROLL
        for (int k = chain; k < chain + step; ++k) {
          RIDGELINE_UNROLL
          for (int r = 0; r < R; ++r) sum[k][r] = mul_add(F32x16(a[r * words + 2 * i + k]), w[k], sum[k][r]);
        }
      }
    }
    RIDGELINE_UNROLL
    for (int r = 0; r < R; ++r, c += panel_columns) store(c, load(c) + (sum[0][r] + sum[1][r]));
  }

  template <int R>
  static void block(const std::byte* weights, const uint32_t* packed, float* c, int64_t records, Ahead ahead) {
    auto* w = reinterpret_cast<const float*>(weights);
    auto* a = reinterpret_cast<const float*>(packed);
    for (int64_t g = 0; g < records; ++g, a += R * words, w += part_depth * panel_columns) {
      ahead.fetch<R * words * 4>();
      for (int h = 0; h < 2; h += halves) block_record<R>(w + 16 * h, a, c + 16 * h);
    }
  }
  template <int R>
  static void block_record(const float* w, const float* a, float* c) {
    F32x16 sum[2][R][halves];  // even, odd
    RIDGELINE_UNROLL
    for (int odd = 0; odd < 2; odd += chains) {
      RIDGELINE_UNROLL
      for (int i = 0; i < chains * R * halves; ++i)
        sum[odd + i / (R * halves)][i / halves % R][i % halves] = F32x16(0.0f);
      RIDGELINE_UNROLL
      for (int k = odd; k < part_depth; k += chains == 2 ? 1 : 2) {
        RIDGELINE_UNROLL
        for (int h = 0; h < halves; ++h) {
          F32x16 v = load(w + k * panel_columns + 16 * h);
          RIDGELINE_UNROLL
          for (int r = 0; r < R; ++r) sum[k % 2][r][h] = mul_add(F32x16(a[r * words + k]), v, sum[k % 2][r][h]);
        }
      }
    }
    RIDGELINE_UNROLL
    for (int i = 0; i < R * halves; ++i) {
      float* to = c + i / halves * panel_columns + i % halves * 16;
      store(to, load(to) + (sum[0][i / halves][i % halves] + sum[1][i / halves][i % halves]));
    }
  }
};

}  // namespace
}  // namespace ridgeline
