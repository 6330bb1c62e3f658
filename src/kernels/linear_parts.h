// What the linear ops have in common: one input times one or more weight matrices, each product finished element by element
// before it is stored. The engines (linear_walk.h) see nothing else of an op.
#pragma once
#include "kernels/kernel_set.h"
#include "kernels/vector.h"
#include "ops/fused.h"

namespace ridgeline {
namespace {

// How the dot products of one row of a panel's 32 columns become results.
//   y = activation(dot + bias)            and, where there is a second weight matrix, times the dot product with that
//   y = residual + (dot + bias)
struct Part {
  enum class Activation { none, silu, gelu };
  const std::byte* weights[2] = {};  // panels; the second: up projection or nullptr
  const Tensor* y = nullptr;
  const Tensor *bias = nullptr, *residual = nullptr;  // or nullptr
  Activation activation = Activation::none;
  int streams() const { return weights[1] ? 2 : 1; }  // of memory, and tiles of dot products
  int64_t panels() const { return panel_count(y->cols); }
};

struct Product {
  const Op& op;
  const KernelMemory& memory;
  const Tensor& x;
  int parts;
  Part (*part)(const Product&, int i);
  int64_t panels() const {
    int64_t n = 0;
    for (int i = 0; i < parts; ++i) n += part(*this, i).panels();
    return n;
  }
};

inline const Tensor* optional(const KernelMemory& m, Value v) { return v ? &m.tensor(v) : nullptr; }
template <class F>
constexpr Part::Activation activation_of = std::is_same_v<F, Silu> ? Part::Activation::silu : Part::Activation::gelu;

inline Part part_of(const Linear& l, const KernelMemory& m, int i) {
  return {{m.tensor(l.weight).data}, &m.result_tensor(i), optional(m, l.bias)};
}
inline Part part_of(const Linears& l, const KernelMemory& m, int i) {
  auto at = static_cast<size_t>(i);
  return part_of(Linear{l.x, l.weights[at], l.biases.empty() ? Value{} : l.biases[at]}, m, i);
}
inline Part part_of(const LinearAdd& l, const KernelMemory& m, int) {
  return {{m.tensor(l.weight).data}, &m.result_tensor(), optional(m, l.bias), &m.tensor(l.residual)};
}
template <class F>
Part part_of(const LinearActivation<F>& l, const KernelMemory& m, int) {
  return {{m.tensor(l.weight).data}, &m.result_tensor(), optional(m, l.bias), nullptr, activation_of<F>};
}
template <class F>
Part part_of(const LinearGated<F>& l, const KernelMemory& m, int) {
  return {{m.tensor(l.gate).data, m.tensor(l.up).data}, &m.result_tensor(), nullptr, nullptr, activation_of<F>};
}

template <class O>
Product product_of(const Op& op, const KernelMemory& m) {
  int parts = static_cast<int>(m.result_count());
  return {op, m, m.tensor(op.as<O>()->x), parts,
          [](const Product& p, int i) { return part_of(*p.op.as<O>(), p.memory, i); }};
}

// Calls f(part, first, last) for the runs of panels [first, last) of single parts that make up panels [begin, end) of all parts
// one after the other.
template <class F>
void for_each_run(const Product& product, int64_t begin, int64_t end, F f) {
  int64_t before = 0;
  for (int i = 0; i < product.parts && before < end; ++i) {
    Part part = product.part(product, i);
    int64_t panels = part.panels(), first = std::max<int64_t>(begin - before, 0), last = std::min(end - before, panels);
    if (first < last) f(part, first, last);
    before += panels;
  }
}

// n elements of row r from column c on, as fp32. Biases and residuals are fp32 but for a few files.
inline F32x16 load_elements(const Tensor& t, int64_t r, int64_t c, int64_t n) {
  if (t.dtype == DType::f32) return load_first(t.as<float>() + r * t.cols + c, n);
  alignas(64) float x[16] = {};
  for (int64_t i = 0; i < std::min<int64_t>(n, 16); ++i) x[i] = load_element(t, r, c + i);
  return load(x);
}

// Brings what finish() will touch into L1, for writing: lines far apart, which no processor guesses, and often in the cache of
// another core.
inline void fetch_results(const Part& part, int64_t panel, int64_t row, int64_t rows) {
  for (int64_t r = row; r < row + rows; ++r)
    for (int64_t c = panel * panel_columns, end = std::min(c + panel_columns, part.y->cols); c < end; c += 16) {
      asm volatile("prefetchw %0" ::"m"(part.y->as<char>()[(r * part.y->cols + c) * 4]));
      if (part.residual) _mm_prefetch(part.residual->as<char>() + (r * part.y->cols + c) * 4, _MM_HINT_T0);
    }
}

// Finishes and stores rows [row, row + rows) of a panel from its dot products: [rows][32] in `dots`, in `up` those with the
// second matrix.
template <class F>
void finish_rows(const Part& part, int64_t panel, int64_t row, int64_t rows, const float* dots, const float* up, F f) {
  const Tensor& y = *part.y;
  for (int64_t h = 0; h < panel_columns; h += 16) {
    int64_t c = panel * panel_columns + h, n = y.cols - c;
    if (n <= 0) return;
    F32x16 bias = part.bias ? load_elements(*part.bias, 0, c, n) : F32x16(0.0f);
    for (int64_t r = 0; r < rows; ++r) {
      F32x16 v = load(dots + r * panel_columns + h);
      if (part.bias) v = v + bias;
      v = f(v);
      if (up) v = v * load(up + r * panel_columns + h);
      if (part.residual) v = load_elements(*part.residual, row + r, c, n) + v;
      store_first(y.as<float>() + (row + r) * y.cols + c, v, n);
    }
  }
}
inline void finish(const Part& part, int64_t panel, int64_t row, int64_t rows, const float* dots, const float* up) {
  switch (part.activation) {
    case Part::Activation::none: return finish_rows(part, panel, row, rows, dots, nullptr, [](F32x16 v) { return v; });
    case Part::Activation::silu:
      return finish_rows(part, panel, row, rows, dots, up, [](F32x16 v) { return Silu::value(v); });
    case Part::Activation::gelu:
      return finish_rows(part, panel, row, rows, dots, up, [](F32x16 v) { return Gelu::value(v); });
  }
}

}  // namespace
}  // namespace ridgeline
