// Norms and the quantization of activations, row by row.
#pragma once
#include "kernels/kernel_set.h"
#include "kernels/vector.h"
#include "ops/fused.h"

namespace ridgeline {
namespace {

inline float root_inverse(float x) { return 1.0f / _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }  // IEEE, both

// One group of 32 columns.
inline void quantize_block(const float* x, Q8Block& b) {
  F32x16 low = load(x), high = load(x + 16);
  float amax = fold_max(max(abs(low), abs(high)));
  if (!(amax >= 0x1p-100f)) {
    std::memset(&b, 0, sizeof b);
    return;
  }
  F32x16 inverse(127.0f / amax);
  __m256i codes = _mm256_setr_m128i(to_int8(low * inverse), to_int8(high * inverse));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(b.a), codes);
  // The sum of the codes: of code + 128 as unsigned bytes, eight at a time, less 32 * 128.
  __m256i biased = _mm256_xor_si256(codes, _mm256_set1_epi8(-128));
  __m256i sums = _mm256_sad_epu8(biased, _mm256_setzero_si256());
  __m128i sum = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  int total = _mm_cvtsi128_si32(sum) + _mm_extract_epi32(sum, 2) - 32 * 128;
  b.scale = amax / 127.0f;
  b.scaled_sum = b.scale * static_cast<float>(total);
}

// n elements, whole groups where `to` has groups.
inline void quantize_elements(const float* x, int64_t n, DType to, std::byte* y) {
  if (to == DType::q8) {
    for (int64_t g = 0; g < n / 32; ++g) quantize_block(x + 32 * g, reinterpret_cast<Q8Block*>(y)[g]);
  } else {
    for (int64_t i = 0; i < n; i += 16)
      store_bf16_first(reinterpret_cast<uint16_t*>(y) + i, load_first(x + i, n - i), n - i);
  }
}

inline void quantize(const Op& op, const KernelMemory& m, Worker& w) {
  const Tensor &x = m.tensor(op.as<Quantize>()->x), &y = m.result_tensor();
  auto [begin, end] = w.share(x.rows * x.cols, 2048);  // rows follow each other; less is not worth a second core
  if (begin < end) quantize_elements(x.as<float>() + begin, end - begin, y.dtype, y.data + bytes_of(y.dtype, begin));
}

// y = norm(x) of one row.
struct RmsNormRow {
  const float* weight;
  int64_t dim;  // of the weight: a row is one group of it or several
  float eps;
  void operator()(const float* x, float* y, int64_t cols) const {
    for (int64_t g = 0; g < cols; g += dim) group(x + g, y + g);
  }
  void group(const float* x, float* y) const {
    F32x16 squares(0.0f);
    // Lanes past the end add +0 to sums that are never -0.
    for (int64_t i = 0; i < dim; i += 16) {
      F32x16 v = load_first(x + i, dim - i);
      squares = mul_add(v, v, squares);
    }
    F32x16 scale(root_inverse(fold_add(squares) / static_cast<float>(dim) + eps));
    for (int64_t i = 0; i < dim; i += 16)
      store_first(y + i, load_first(x + i, dim - i) * scale * load_first(weight + i, dim - i), dim - i);
  }
};

struct LayerNormRow {
  const float *weight, *bias;  // nullptr for none
  float eps;
  void operator()(const float* x, float* y, int64_t n) const {
    F32x16 sum(0.0f), squares(0.0f);
    int64_t whole = n / 16 * 16;
    Some rest = first_lanes(n - whole);
    for (int64_t i = 0; i < whole; i += 16) sum = sum + load(x + i);
    sum = select(rest, sum + load_first(x + whole, n - whole), sum);
    F32x16 mean(fold_add(sum) / static_cast<float>(n));
    for (int64_t i = 0; i < whole; i += 16) {
      F32x16 d = load(x + i) - mean;
      squares = mul_add(d, d, squares);
    }
    F32x16 d = load_first(x + whole, n - whole) - mean;
    squares = select(rest, mul_add(d, d, squares), squares);
    F32x16 scale(root_inverse(fold_add(squares) / static_cast<float>(n) + eps));
    for (int64_t i = 0; i < n; i += 16) {
      int64_t left = n - i;
      F32x16 y_i = (load_first(x + i, left) - mean) * scale;
      if (bias)
        y_i = mul_add(y_i, load_first(weight + i, left), load_first(bias + i, left));
      else if (weight)
        y_i = y_i * load_first(weight + i, left);
      store_first(y + i, y_i, left);
    }
  }
};

template <class T>
RmsNormRow rms_norm_row(const T& op, const KernelMemory& m) {
  const Tensor& weight = m.tensor(op.weight);
  return {weight.as<float>(), weight.cols, op.eps};
}
template <class T>
LayerNormRow layer_norm_row(const T& op, const KernelMemory& m) {
  auto vector = [&](Value v) { return v ? m.tensor(v).template as<float>() : nullptr; };
  return {vector(op.weight), vector(op.bias), op.eps};
}

template <class Norm>
void normalize(const Norm& norm, const Tensor& x, const Tensor& y, Worker& w) {
  auto [begin, end] = w.share(x.rows);
  for (int64_t r = begin; r < end; ++r) norm(x.row_as<float>(r), y.row_as<float>(r), x.cols);
}
template <class Norm>
void normalize_quantize(const Norm& norm, const Tensor& x, const Tensor& y, Worker& w) {
  auto* row = reinterpret_cast<float*>(w.scratch(static_cast<size_t>(x.cols) * sizeof(float)));
  auto [begin, end] = w.share(x.rows);
  for (int64_t r = begin; r < end; ++r) {
    norm(x.row_as<float>(r), row, x.cols);
    quantize_elements(row, x.cols, y.dtype, y.row(r));
  }
}

inline void rms_norm(const Op& op, const KernelMemory& m, Worker& w) {
  auto& o = *op.as<RmsNorm>();
  normalize(rms_norm_row(o, m), m.tensor(o.x), m.result_tensor(), w);
}
inline void layer_norm(const Op& op, const KernelMemory& m, Worker& w) {
  auto& o = *op.as<LayerNorm>();
  normalize(layer_norm_row(o, m), m.tensor(o.x), m.result_tensor(), w);
}
inline void rms_norm_quantize(const Op& op, const KernelMemory& m, Worker& w) {
  auto& o = *op.as<RmsNormQuantize>();
  normalize_quantize(rms_norm_row(o, m), m.tensor(o.x), m.result_tensor(), w);
}
inline void layer_norm_quantize(const Op& op, const KernelMemory& m, Worker& w) {
  auto& o = *op.as<LayerNormQuantize>();
  normalize_quantize(layer_norm_row(o, m), m.tensor(o.x), m.result_tensor(), w);
}

}  // namespace
}  // namespace ridgeline
