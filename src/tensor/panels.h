// Weight matrices packed once, at load, for every kernel set alike: panels of 32 output columns (rows n of W[out, in]), k
// ascending, so that one panel is one stream of memory. A record holds 32 k of one panel, of superblock types 256 k:
//   f32, f16   [32 k][32 n]
//   bf16       [2 halves of 16 n][16 k pairs][16 n][2 k]                      (two AMX tiles)
//   grouped    fp16 d[32], fp16 m[32] of types with minimums; then for every 32 k a part: low plane, high plane, scales
// n is padded to 32 and k to 32, with zeros (grouped types: zero scales).
//
// A part of a grouped type. The codes of 4 k (a quad) by 16 n (a half of the panel) are a tile; quad q and half h make tile
// 2 q + h. A plane of b bits is lines of 64 bytes, [16 n][4 k], whose bytes each hold 8 / b tiles: tile t stands in line t b / 8
// at bit t b % 8. Codes of 8, 4 and 2 bits are one plane; of 5, 6 and 3 a low plane of 4, 4, 2 and a high one of the rest.
// Scales, of superblock types only, 64 bytes:
//   q4_K, q5_K   uint8 scale[32], uint8 minimum[32]
//   q2_K         [2 groups of 16 k][32 n], scale the low, minimum the high nibble
//   q3_K, q6_K   [2 groups of 16 k][32 n] int8
//
// Bits a weight takes, in the file and packed; where columns and rows are whole panels and records nothing else is added:
//   q8_0 8.5  8.5     q4_1 5    5       q2_K 2.625  2.625     q5_K 5.5     5.625
//   q4_0 4.5  4.5     q5_0 5.5  5.5     q3_K 3.4375 3.5625    q6_K 6.5625  6.5625
//                     q5_1 6    6       q4_K 4.5    4.625     f32, f16, bf16 as in the file
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>

#include "tensor/dtype.h"

namespace ridgeline {

inline constexpr int panel_columns = 32, part_depth = 32;  // n of a panel, k of a part

// How a grouped type lies in its panels, in bytes.
struct GroupedPanel {
  int low, high;  // bits of the planes
  int parts;      // of a record
  bool minimums;
  constexpr int64_t header() const { return minimums ? 128 : 64; }
  constexpr int64_t low_plane() const { return 128 * low; }
  constexpr int64_t codes() const { return 128 * (low + high); }
  constexpr int64_t part() const { return codes() + (parts > 1 ? 64 : 0); }
  constexpr int64_t record() const { return header() + parts * part(); }
};
constexpr GroupedPanel grouped_panel(DType t) {
  const Grouping& g = grouping_of(t);
  int low = g.bits == 8 ? 8 : g.bits >= 4 ? 4 : 2;
  return {low, g.bits - low, static_cast<int>(row_of(t).block) / part_depth, g.minimums};
}

constexpr int record_parts(DType t) { return is_grouped(t) ? grouped_panel(t).parts : 1; }
constexpr int record_depth(DType t) { return record_parts(t) * part_depth; }
constexpr int64_t record_bytes(DType t) {
  if (is_grouped(t)) return grouped_panel(t).record();
  return is_float(t) ? bytes_of(t, part_depth * panel_columns) : 0;
}
constexpr int64_t panel_count(int64_t out) { return (out + panel_columns - 1) / panel_columns; }
constexpr int64_t record_count(DType t, int64_t in) { return (in + record_depth(t) - 1) / record_depth(t); }
constexpr int64_t panel_bytes(DType t, int64_t in) { return record_count(t, in) * record_bytes(t); }
constexpr int64_t packed_bytes(DType t, int64_t out, int64_t in) { return panel_count(out) * panel_bytes(t, in); }

// Packs panels [first, last) of a matrix of `out` rows and `in` columns. row(n) gives row n as the file stores it (row-major
// blocks of t); it may permute rows. to: the start of panel 0.
using RowSource = std::function<const std::byte*(int64_t n)>;
void pack_panels(DType t, int64_t out, int64_t in, const RowSource& row, std::byte* to, int64_t first, int64_t last);

// Element (n, k) of a packed matrix as fp32; for grouped types the dequantized weight d * (q - z) (+ m).
float panel_element(DType t, const std::byte* panels, int64_t in, int64_t n, int64_t k);

// What one group of row n holds, 32 or 16 k: grouped types only. Weight k is scale * (q[k] - zero) + minimum. Where the type
// subtracts its minimums, `minimum` is what is added.
struct PanelGroup {
  uint8_t q[32];
  int zero;
  float scale, minimum;
};
PanelGroup panel_group(DType t, const std::byte* panels, int64_t in, int64_t n, int64_t group);

}  // namespace ridgeline
