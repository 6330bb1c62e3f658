// One operand or result in memory: its type, its size, and how its elements are arranged.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tensor/dtype.h"

namespace ridgeline {

// rows:   row-major, rows of whole blocks.
// panels: a weight matrix packed for the kernels (tensor/panels.h).
// keys, values: one layer's half of a paged KV cache (tensor/pages.h); a row is a slot.
enum class Layout : uint8_t { rows, panels, keys, values };

// Which elements a reference evaluation touched; kept only while counting.
struct Touched {
  std::vector<bool> read, written;
};

struct Tensor {
  DType dtype = DType::f32;
  Layout layout = Layout::rows;
  int64_t rows = 0, cols = 0;  // a vector is one row
  std::byte* data = nullptr;
  int head_dim = 0;  // keys, values: elements of one head
  Touched* touched = nullptr;

  explicit operator bool() const { return data != nullptr; }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data);
  }
  // Row r of a row-major tensor.
  std::byte* row(int64_t r) const { return data + r * bytes_of(dtype, cols); }
  template <class T>
  T* row_as(int64_t r) const {
    return reinterpret_cast<T*>(row(r));
  }
};

// A row of q8 is cols / 32 of these: activations quantized per 32 elements (docs/numerics.md, "activations").
struct Q8Block {
  float scale;       // s: amax / 127, or 0
  float scaled_sum;  // s * float(sum of a)
  int8_t a[32];      // rint(x * (127 / amax)), in [-127, 127]
};
static_assert(sizeof(Q8Block) == 40);

}  // namespace ridgeline
