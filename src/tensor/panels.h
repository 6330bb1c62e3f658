// Weight matrices packed once, at load, for every kernel set alike: panels of 32 output columns (rows n of W[out, in]), k
// ascending, so that one panel is one stream of memory. A record holds 32 k of one panel:
//   f32, f16   [32 k][32 n]
//   bf16       [2 halves of 16 n][16 k pairs][16 n][2 k]                      (two AMX tiles)
//   q8_0       [8 k quads][2 halves of 16 n][16 n][4 k] uint8 (q + 128), then fp16 d[32]
//   q4_0       [8 k quads][16 n][4 k], low nibble n, high nibble n + 16, then fp16 d[32]
//   q4_1       as q4_0, then fp16 d[32], fp16 m[32]
// n is padded to 32 and k to 32, with zeros (grouped types: zero scales).
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>

#include "tensor/dtype.h"

namespace ridgeline {

inline constexpr int panel_columns = 32, record_depth = 32;

constexpr int64_t record_bytes(DType t) {
  switch (t) {
    case DType::f32: return 4096;
    case DType::f16:
    case DType::bf16: return 2048;
    case DType::q8_0: return 1024 + 64;
    case DType::q4_0: return 512 + 64;
    case DType::q4_1: return 512 + 128;
    default: return 0;
  }
}
constexpr int64_t panel_count(int64_t out) { return (out + panel_columns - 1) / panel_columns; }
constexpr int64_t record_count(int64_t in) { return (in + record_depth - 1) / record_depth; }
constexpr int64_t panel_bytes(DType t, int64_t in) { return record_count(in) * record_bytes(t); }
constexpr int64_t packed_bytes(DType t, int64_t out, int64_t in) { return panel_count(out) * panel_bytes(t, in); }

// Packs panels [first, last) of a matrix of `out` rows and `in` columns. row(n) gives row n as the file stores it (row-major
// blocks of t); it may permute rows. to: the start of panel 0.
using RowSource = std::function<const std::byte*(int64_t n)>;
void pack_panels(DType t, int64_t out, int64_t in, const RowSource& row, std::byte* to, int64_t first, int64_t last);

// Element (n, k) of a packed matrix as fp32; for grouped types the dequantized weight d * (q - z) (+ m).
float panel_element(DType t, const std::byte* panels, int64_t in, int64_t n, int64_t k);

// What one group of 32 k of row n holds: grouped types only. Weight k is scale * (q[k] - zero) + minimum.
struct PanelGroup {
  uint8_t q[32];
  int zero;
  float scale, minimum;
};
PanelGroup panel_group(DType t, const std::byte* panels, int64_t in, int64_t n, int64_t group);

}  // namespace ridgeline
