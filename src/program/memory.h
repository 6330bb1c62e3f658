// What a reference evaluation sees of its operands and results. Values lie in memory as their types say (fp32, bf16, blocks);
// accessors convert on the way in and round once, to the value's type, on the way out: storing is rounding.
// While counting, every access marks the elements it touched.
#pragma once
#include <cstring>
#include <span>

#include "program/scalar.h"
#include "program/value.h"
#include "tensor/half.h"
#include "tensor/pages.h"
#include "tensor/panels.h"
#include "tensor/tensor.h"

namespace ridgeline {

// Element (r, c) of a tensor of a floating-point type or of a weight matrix (dequantized), as fp32.
float load_element(const Tensor&, int64_t r, int64_t c);
// Rounds x to the tensor's floating-point type and stores it.
void store_element(const Tensor&, int64_t r, int64_t c, float x);

template <class S>
class In {
 public:
  In() = default;
  explicit In(const Tensor& t) : t_(&t) {}
  explicit operator bool() const { return t_ != nullptr; }
  int64_t rows() const { return t_->rows; }
  int64_t cols() const { return t_->cols; }
  DType dtype() const { return t_->dtype; }

  S operator()(int64_t r, int64_t c) const { return mark(r, c), S(load_element(*t_, r, c)); }
  S operator()(int64_t c) const { return (*this)(0, c); }  // of a vector
  int32_t index(int64_t r, int64_t c = 0) const { return mark(r, c), t_->as<int32_t>()[r * t_->cols + c]; }
  // Row r, elements 32 g .. 32 g + 31, of quantized activations.
  const Q8Block& block(int64_t r, int64_t g) const { return mark_group(r, g, 32), t_->row_as<Q8Block>(r)[g]; }
  // Group g of row n of a grouped weight matrix.
  PanelGroup group(int64_t n, int64_t g) const {
    return mark_group(n, g, grouping_of(t_->dtype).group), panel_group(t_->dtype, t_->data, t_->cols, n, g);
  }

 private:
  void mark([[maybe_unused]] int64_t r, [[maybe_unused]] int64_t c) const {
    if constexpr (std::is_same_v<S, Counted>)
      if (t_->touched) t_->touched->read[static_cast<size_t>(r * t_->cols + c)] = true;
  }
  void mark_group([[maybe_unused]] int64_t r, [[maybe_unused]] int64_t g, [[maybe_unused]] int64_t size) const {
    if constexpr (std::is_same_v<S, Counted>)
      for (int64_t i = 0; i < size; ++i) mark(r, size * g + i);
  }
  const Tensor* t_ = nullptr;
};

template <class S>
class Out {
 public:
  explicit Out(const Tensor& t) : t_(&t) {}
  int64_t rows() const { return t_->rows; }
  int64_t cols() const { return t_->cols; }
  DType dtype() const { return t_->dtype; }

  void store(int64_t r, int64_t c, S x) const { mark(r, c), store_element(*t_, r, c, number(x)); }
  void store_block(int64_t r, int64_t g, const Q8Block& b) const {
    for (int64_t i = 0; i < 32; ++i) mark(r, 32 * g + i);
    t_->row_as<Q8Block>(r)[g] = b;
  }

 private:
  void mark([[maybe_unused]] int64_t r, [[maybe_unused]] int64_t c) const {
    if constexpr (std::is_same_v<S, Counted>)
      if (t_->touched) t_->touched->written[static_cast<size_t>(r * t_->cols + c)] = true;
  }
  const Tensor* t_;
};

// Rounds to a type without storing: what an inner value of a fused op goes through.
template <class S>
S round_as(DType t, S x) {
  if (t == DType::bf16) return S(bf16_to_f32(f32_to_bf16(number(x))));
  if (t == DType::f16) return S(f16_to_f32(f32_to_f16(number(x))));
  return x;
}

// The memory around one op: `values` by id, and which of them are its results.
template <class S>
class Memory {
 public:
  Memory(std::span<const Tensor> values, const Values& results) : values_(values), results_(results) {}
  In<S> operator[](Value v) const { return v ? In<S>(values_[static_cast<size_t>(v.id)]) : In<S>(); }
  Out<S> result(int i = 0) const { return Out<S>(tensor(results_[static_cast<size_t>(i)])); }
  const Tensor& tensor(Value v) const { return values_[static_cast<size_t>(v.id)]; }
  const Tensor& result_tensor(int i = 0) const { return tensor(results_[static_cast<size_t>(i)]); }
  size_t result_count() const { return results_.size(); }

 private:
  std::span<const Tensor> values_;
  const Values& results_;
};

}  // namespace ridgeline
