// Every op that is no matrix product, written once over the vector width: the table of cells that both sets use.
#pragma once
#include "kernels/elementwise_norm.h"
#include "kernels/elementwise_rope.h"
#include "kernels/elementwise_rows.h"
#include "kernels/kernel_set.h"
#include "kernels/vector.h"
#include "ops/elementwise.h"
#include "ops/soft_cap.h"

namespace ridgeline {
namespace {

// y[i] = f(a[i], b[i]) over whole tensors: rows follow each other. A share below 2048 elements is not worth a second core.
template <class F>
void map_pairs(const Tensor& a, const Tensor& b, const Tensor& y, Worker& w, F f) {
  auto [begin, end] = w.share(y.rows * y.cols, 2048);
  for (int64_t i = begin; i < end; i += 16) {
    int64_t n = end - i;
    store_first(y.as<float>() + i, f(load_first(a.as<float>() + i, n), load_first(b.as<float>() + i, n)), n);
  }
}

inline void add(const Op& op, const KernelMemory& m, Worker& w) {
  auto& o = *op.as<Add>();
  map_pairs(m.tensor(o.a), m.tensor(o.b), m.result_tensor(), w, [](F32x16 a, F32x16 b) { return a + b; });
}

inline void scale(const Op& op, const KernelMemory& m, Worker& w) {
  auto& o = *op.as<Scale>();
  const Tensor& x = m.tensor(o.x);
  F32x16 factor(o.factor);
  map_pairs(x, x, m.result_tensor(), w, [factor](F32x16 v, F32x16) { return factor * v; });
}

inline void soft_cap(const Op& op, const KernelMemory& m, Worker& w) {
  auto& o = *op.as<SoftCapped>();
  const Tensor& x = m.tensor(o.x);
  map_pairs(x, x, m.result_tensor(), w, [f = o.function()](F32x16 v, F32x16) { return f(v); });
}

// The op's own formula, over vectors: F::value is a template.
template <class F>
void activation(const Op& op, const KernelMemory& m, Worker& w) {
  const Tensor& x = m.tensor(op.as<Activation<F>>()->x);
  map_pairs(x, x, m.result_tensor(), w, [](F32x16 v, F32x16) { return F::value(v); });
}
template <class F>
void gated(const Op& op, const KernelMemory& m, Worker& w) {
  auto& o = *op.as<Gated<F>>();
  map_pairs(m.tensor(o.gate), m.tensor(o.up), m.result_tensor(), w, [](F32x16 g, F32x16 u) { return F::value(g) * u; });
}

constexpr Signature plain = {DType::f32, DType::f32}, to_q8 = {DType::f32, DType::q8},
                    with_bf16 = {DType::f32, DType::bf16};

constexpr Cell elementwise_table[] = {
    {"add", plain, add},
    {"scale", plain, scale},
    {"soft_cap", plain, soft_cap},
    {"silu", plain, activation<Silu>},
    {"gelu", plain, activation<Gelu>},
    {"gelu_erf", plain, activation<GeluErf>},
    {"relu", plain, activation<Relu>},
    {"squared_relu", plain, activation<SquaredRelu>},
    {"silu_mul", plain, gated<Silu>},
    {"gelu_mul", plain, gated<Gelu>},
    {"gelu_erf_mul", plain, gated<GeluErf>},
    {"relu_mul", plain, gated<Relu>},
    {"rms_norm", plain, rms_norm},
    {"layer_norm", plain, layer_norm},
    {"quantize", to_q8, quantize},
    {"quantize", with_bf16, quantize},
    {"rms_norm_quantize", to_q8, rms_norm_quantize},
    {"rms_norm_quantize", with_bf16, rms_norm_quantize},
    {"layer_norm_quantize", to_q8, layer_norm_quantize},
    {"layer_norm_quantize", with_bf16, layer_norm_quantize},
    {"rotations", plain, rotations},
    {"rope", plain, rope},
    {"append", plain, append},
    {"append", with_bf16, append},
    {"rope_append", plain, rope_append},
    {"rope_append", with_bf16, rope_append},
    {"select_rows", plain, select_rows},
    {"select_rows", {DType::f32, DType::f16}, select_rows},
    {"select_rows", with_bf16, select_rows},
    {"select_rows", {DType::f32, DType::q8_0}, select_rows},
    {"select_rows", {DType::f32, DType::q4_0}, select_rows},
    {"select_rows", {DType::f32, DType::q4_1}, select_rows},
    {"select_rows", {DType::f32, DType::q5_0}, select_rows},
    {"select_rows", {DType::f32, DType::q5_1}, select_rows},
    {"select_rows", {DType::f32, DType::q2_K}, select_rows},
    {"select_rows", {DType::f32, DType::q3_K}, select_rows},
    {"select_rows", {DType::f32, DType::q4_K}, select_rows},
    {"select_rows", {DType::f32, DType::q5_K}, select_rows},
    {"select_rows", {DType::f32, DType::q6_K}, select_rows},
};

}  // namespace
}  // namespace ridgeline
