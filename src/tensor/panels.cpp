#include "tensor/panels.h"

#include <algorithm>
#include <cstring>

#include "tensor/blocks.h"
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

// The dword that holds quad q of column n in a plane of some bits, and where in its bytes they stand.
struct QuadPlace {
  int64_t offset;
  int shift;
};
QuadPlace quad_place(int bits, int64_t q, int64_t n) {
  int64_t at = (2 * q + n / half_panel) * bits;
  return {at / 8 * 64 + n % half_panel * 4, static_cast<int>(at % 8)};
}
constexpr uint32_t in_each_byte(int bits) { return ((1u << bits) - 1) * 0x01010101u; }

// Adds `bits` of four codes, from bit `from` on, to a plane that was zero there.
void put_quad(std::byte* plane, int bits, int64_t q, int64_t n, uint32_t codes, int from) {
  auto [offset, shift] = quad_place(bits, q, n);
  uint32_t word;
  std::memcpy(&word, plane + offset, 4);
  word |= (codes >> from & in_each_byte(bits)) << shift;
  std::memcpy(plane + offset, &word, 4);
}
uint32_t get_quad(const std::byte* plane, int bits, int64_t q, int64_t n) {
  auto [offset, shift] = quad_place(bits, q, n);
  uint32_t word;
  std::memcpy(&word, plane + offset, 4);
  return word >> shift & in_each_byte(bits);
}

// Bytes of a part's scales: of group g (in the part) and column n.
void put_scales(DType t, std::byte* scales, const BlockCodes& c, int64_t part, int64_t n) {
  const Grouping& grouping = grouping_of(t);
  if (grouping.group == 32) {
    scales[n] = std::byte(c.scale[part]), scales[panel_columns + n] = std::byte(c.minimum[part]);
    return;
  }
  for (int64_t g = 0; g < 2; ++g) {
    auto scale = static_cast<uint8_t>(c.scale[2 * part + g]);
    auto minimum = static_cast<uint8_t>(grouping.minimums ? c.minimum[2 * part + g] << 4 : 0);
    scales[g * panel_columns + n] = std::byte(scale | minimum);
  }
}
void get_scales(DType t, const std::byte* scales, int64_t g, int64_t n, BlockCodes& c) {
  const Grouping& grouping = grouping_of(t);
  auto first = static_cast<uint8_t>(scales[grouping.group == 32 ? n : g * panel_columns + n]);
  if (grouping.group == 32) {
    c.scale[0] = static_cast<int8_t>(first), c.minimum[0] = static_cast<uint8_t>(scales[panel_columns + n]);
  } else {
    c.scale[0] = static_cast<int8_t>(grouping.minimums ? first & 15 : first);
    c.minimum[0] = grouping.minimums ? first >> 4 : 0;
  }
}

// One block of row n into its record, which was zero.
void pack_record(DType t, const std::byte* block, std::byte* record, int64_t n) {
  BlockCodes c;
  unpack_block(t, block, c);
  GroupedPanel lies = grouped_panel(t);
  std::memcpy(record + 2 * n, &c.d, 2);
  if (lies.minimums) std::memcpy(record + 64 + 2 * n, &c.m, 2);
  std::byte* to = record + lies.header();
  for (int64_t p = 0; p < lies.parts; ++p, to += lies.part()) {
    for (int64_t q = 0; q < 8; ++q) {
      uint32_t codes;
      std::memcpy(&codes, c.q + p * part_depth + 4 * q, 4);
      put_quad(to, lies.low, q, n, codes, 0);
      if (lies.high) put_quad(to + lies.low_plane(), lies.high, q, n, codes, lies.low);
    }
    if (lies.parts > 1) put_scales(t, to + lies.codes(), c, p, n);
  }
}

}  // namespace

void pack_panels(DType t, int64_t out, int64_t in, const RowSource& row, std::byte* to, int64_t first, int64_t last) {
  int64_t record = record_bytes(t), whole = panel_bytes(t, in), depth = record_depth(t);
  int64_t size = row_of(t).block_bytes;
  for (int64_t p = first; p < last; ++p) {
    std::byte* panel = to + p * whole;
    std::memset(panel, 0, static_cast<size_t>(whole));
    for (int64_t n = 0; n < std::min<int64_t>(panel_columns, out - p * panel_columns); ++n) {
      const std::byte* from = row(p * panel_columns + n);
      if (is_grouped(t)) {
        for (int64_t i = 0; i < in / depth; ++i) pack_record(t, from + i * size, panel + i * record, n);
      } else {
        for (int64_t k = 0; k < in; ++k)
          std::memcpy(panel + k / depth * record + element_offset(t, k % depth, n), from + k * size,
                      static_cast<size_t>(size));
      }
    }
  }
}

PanelGroup panel_group(DType t, const std::byte* panels, int64_t in, int64_t n, int64_t group) {
  GroupedPanel lies = grouped_panel(t);
  const Grouping& grouping = grouping_of(t);
  int64_t k = group * grouping.group, part = k % record_depth(t) / part_depth, in_part = k % part_depth;
  const std::byte* record = panels + n / panel_columns * panel_bytes(t, in) + k / record_depth(t) * lies.record();
  const std::byte* codes = record + lies.header() + part * lies.part();
  n %= panel_columns;

  BlockCodes c{};
  std::memcpy(&c.d, record + 2 * n, 2);
  if (lies.minimums) std::memcpy(&c.m, record + 64 + 2 * n, 2);
  if (lies.parts > 1) get_scales(t, codes + lies.codes(), in_part / 16, n, c);
  GroupScale s = group_scale(t, c, 0);

  PanelGroup g{{}, grouping.zero, s.scale, s.minimum};
  for (int64_t i = 0; i < grouping.group; i += 4) {
    uint32_t quad = get_quad(codes, lies.low, (in_part + i) / 4, n);
    if (lies.high) quad |= get_quad(codes + lies.low_plane(), lies.high, (in_part + i) / 4, n) << lies.low;
    std::memcpy(g.q + i, &quad, 4);
  }
  return g;
}

float panel_element(DType t, const std::byte* panels, int64_t in, int64_t n, int64_t k) {
  if (is_grouped(t)) {
    int64_t size = grouping_of(t).group;
    PanelGroup g = panel_group(t, panels, in, n, k / size);
    return g.scale * static_cast<float>(g.q[k % size] - g.zero) + g.minimum;
  }
  const std::byte* record = panels + n / panel_columns * panel_bytes(t, in) + k / part_depth * record_bytes(t);
  const std::byte* at = record + element_offset(t, k % part_depth, n % panel_columns);
  float f;
  uint16_t h;
  if (t == DType::f32) return std::memcpy(&f, at, 4), f;
  std::memcpy(&h, at, 2);
  return t == DType::f16 ? f16_to_f32(h) : bf16_to_f32(h);
}

}  // namespace ridgeline
