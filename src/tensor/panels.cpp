#include "tensor/panels.h"

#include <algorithm>
#include <cstring>

#include "tensor/half.h"

namespace ridgeline {
namespace {

constexpr int half_panel = panel_columns / 2;

// Where (k, n) lies in a record: byte offset for one-element types.
int64_t element_offset(DType t, int64_t k, int64_t n) {
  if (t == DType::f32) return (k * panel_columns + n) * 4;
  if (t == DType::f16) return (k * panel_columns + n) * 2;
  return (n / half_panel * 512 + k / 2 * 32 + n % half_panel * 2 + k % 2) * 2;  // bf16
}

// Byte that holds the quant of (k, n); q4 types keep n >= 16 in its high nibble.
int64_t quant_offset(DType t, int64_t k, int64_t n) {
  int64_t in_line = n % half_panel * 4 + k % 4;
  return t == DType::q8_0 ? k / 4 * 128 + n / half_panel * 64 + in_line : k / 4 * 64 + in_line;
}
int64_t scale_offset(DType t, int64_t n) { return (t == DType::q8_0 ? 1024 : 512) + 2 * n; }

void pack_group(DType t, const std::byte* block, std::byte* record, int64_t n) {
  std::memcpy(record + scale_offset(t, n), block, 2);
  if (t == DType::q4_1) std::memcpy(record + scale_offset(t, n) + 64, block + 2, 2);
  const auto* quants = reinterpret_cast<const uint8_t*>(block + row_of(t).block_bytes - (t == DType::q8_0 ? 32 : 16));
  for (int64_t k = 0; k < record_depth; ++k) {
    std::byte& at = record[quant_offset(t, k, n)];
    if (t == DType::q8_0) {
      at = std::byte(quants[k] ^ 0x80);  // int8 + 128
    } else {
      std::byte q{static_cast<uint8_t>(k < 16 ? quants[k] & 15 : quants[k - 16] >> 4)};
      at = n < half_panel ? (at & std::byte{0xf0}) | q : (at & std::byte{0x0f}) | q << 4;
    }
  }
}

}  // namespace

void pack_panels(DType t, int64_t out, int64_t in, const RowSource& row, std::byte* to, int64_t first, int64_t last) {
  int64_t record = record_bytes(t), whole = panel_bytes(t, in);
  int64_t size = bytes_of(t, row_of(t).block);
  for (int64_t p = first; p < last; ++p) {
    std::byte* panel = to + p * whole;
    std::memset(panel, 0, static_cast<size_t>(whole));
    for (int64_t n = 0; n < std::min<int64_t>(panel_columns, out - p * panel_columns); ++n) {
      const std::byte* from = row(p * panel_columns + n);
      if (is_grouped(t)) {
        for (int64_t g = 0; g < in / record_depth; ++g) pack_group(t, from + g * size, panel + g * record, n);
      } else {
        for (int64_t k = 0; k < in; ++k)
          std::memcpy(panel + k / record_depth * record + element_offset(t, k % record_depth, n), from + k * size,
                      static_cast<size_t>(size));
      }
    }
  }
}

PanelGroup panel_group(DType t, const std::byte* panels, int64_t in, int64_t n, int64_t group) {
  const std::byte* record = panels + n / panel_columns * panel_bytes(t, in) + group * record_bytes(t);
  n %= panel_columns;
  auto half = [&](int64_t at) {
    uint16_t h;
    std::memcpy(&h, record + at, 2);
    return f16_to_f32(h);
  };
  PanelGroup g{{}, t == DType::q8_0 ? 128 : t == DType::q4_0 ? 8 : 0, half(scale_offset(t, n)), 0};
  if (t == DType::q4_1) g.minimum = half(scale_offset(t, n) + 64);
  for (int k = 0; k < record_depth; ++k) {
    auto q = static_cast<uint8_t>(record[quant_offset(t, k, n)]);
    g.q[k] = static_cast<uint8_t>(t == DType::q8_0 ? q : n < half_panel ? q & 15 : q >> 4);
  }
  return g;
}

float panel_element(DType t, const std::byte* panels, int64_t in, int64_t n, int64_t k) {
  const std::byte* record = panels + n / panel_columns * panel_bytes(t, in) + k / record_depth * record_bytes(t);
  if (is_grouped(t)) {
    PanelGroup g = panel_group(t, panels, in, n, k / record_depth);
    return g.scale * static_cast<float>(g.q[k % record_depth] - g.zero) + g.minimum;
  }
  const std::byte* at = record + element_offset(t, k % record_depth, n % panel_columns);
  float f;
  uint16_t h;
  if (t == DType::f32) return std::memcpy(&f, at, 4), f;
  std::memcpy(&h, at, 2);
  return t == DType::f16 ? f16_to_f32(h) : bf16_to_f32(h);
}

}  // namespace ridgeline
