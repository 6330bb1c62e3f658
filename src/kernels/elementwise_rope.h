// Rotary positions, and new keys and values put into the pages of the KV cache.
#pragma once
#include "kernels/kernel_set.h"
#include "kernels/page_rows.h"
#include "kernels/vector.h"
#include "ops/fused.h"

namespace ridgeline {
namespace {

inline void rotations(const Op& op, const KernelMemory& m, Worker& w) {
  auto& o = *op.as<Rotations>();
  const Tensor& y = m.result_tensor();
  const auto* positions = m.tensor(o.positions).as<int32_t>();
  const double* radians = o.frequencies.radians.data();
  int64_t half = y.cols / 2;
  auto [begin, end] = w.share(y.rows);
  for (int64_t r = begin; r < end; ++r)
    for (int64_t i = 0; i < half; ++i) {
      SinCos turn = sin_cos(static_cast<double>(positions[r]) * radians[i]);
      y.row_as<float>(r)[i] = static_cast<float>(turn.cos);
      y.row_as<float>(r)[half + i] = static_cast<float>(turn.sin);
    }
}

// y = x with the first 2 * half elements of each head turned. turns: [half cosines, half sines]
inline void rope_row(const float* x, const float* turns, int64_t cols, int64_t head_dim, int64_t half, float* y) {
  for (int64_t i = 0; i < half; i += 16) {
    int64_t n = half - i;
    F32x16 cos = load_first(turns + i, n), sin = load_first(turns + half + i, n);
    for (int64_t head = i; head < cols; head += head_dim) {
      F32x16 x0 = load_first(x + head, n), x1 = load_first(x + head + half, n);
      store_first(y + head, mul_sub(x0, cos, x1 * sin), n);
      store_first(y + head + half, mul_add(x1, cos, x0 * sin), n);
    }
  }
  if (int64_t rest = head_dim - 2 * half)
    for (int64_t at = 2 * half; at < cols; at += head_dim)
      std::memmove(y + at, x + at, static_cast<size_t>(rest) * sizeof(float));
}

inline void rope(const Op& op, const KernelMemory& m, Worker& w) {
  auto& o = *op.as<Rope>();
  const Tensor &x = m.tensor(o.x), &turns = m.tensor(o.turns), &y = m.result_tensor();
  auto [begin, end] = w.share(x.rows);
  for (int64_t r = begin; r < end; ++r)
    rope_row(x.row_as<float>(r), turns.row_as<float>(r), x.cols, o.head_dim, turns.cols / 2, y.row_as<float>(r));
}

// Calls f(row, slot) for the tokens of the batch that are this worker's share. Runs of 32 tokens stay together: they write
// the same lines of a page.
template <class F>
void each_new_token(const Tensor& sequences, const Tensor& slots, int64_t tokens, Worker& w, F f) {
  auto [begin, end] = w.share(tokens, tokens < 64 ? 1 : page_tokens);
  const auto *counts = sequences.as<int32_t>(), *slot = slots.as<int32_t>();
  int64_t row = 0, keys = 0;  // of the sequence's first new token, of its position 0
  for (int64_t s = 0; s < sequences.rows; ++s) {
    int64_t fresh = counts[2 * s], cached = counts[2 * s + 1];
    for (int64_t i = row < begin ? begin - row : 0; i < fresh && row + i < end; ++i)
      f(row + i, slot[keys + cached + i]);
    row += fresh, keys += cached + fresh;
  }
}

inline void append_row(const Tensor& cache, int64_t slot, const float* x) {
  int64_t dim = cache.head_dim;
  for (int64_t c = 0; c < cache.cols; c += dim) {
    std::byte* to = cache.data + kv_offset(cache, slot, c);
    if (cache.dtype == DType::f32)
      std::memcpy(to, x + c, static_cast<size_t>(dim) * sizeof(float));
    else if (cache.layout == Layout::keys)
      put_keys(x + c, dim, to);
    else
      put_values(x + c, dim, to);
  }
}

inline void append(const Op& op, const KernelMemory& m, Worker& w) {
  auto& o = *op.as<Append>();
  const Tensor &x = m.tensor(o.x), &cache = m.result_tensor();
  each_new_token(m.tensor(o.sequences), m.tensor(o.slots), x.rows, w,
                 [&](int64_t row, int64_t slot) { append_row(cache, slot, x.row_as<float>(row)); });
}

inline void rope_append(const Op& op, const KernelMemory& m, Worker& w) {
  auto& o = *op.as<RopeAppend>();
  const Tensor &x = m.tensor(o.x), &turns = m.tensor(o.turns), &cache = m.result_tensor();
  auto* turned = reinterpret_cast<float*>(w.scratch(static_cast<size_t>(x.cols) * sizeof(float)));
  each_new_token(m.tensor(o.sequences), m.tensor(o.slots), x.rows, w, [&](int64_t row, int64_t slot) {
    rope_row(x.row_as<float>(row), turns.row_as<float>(row), x.cols, o.head_dim, turns.cols / 2, turned);
    append_row(cache, slot, turned);
  });
}

}  // namespace
}  // namespace ridgeline
