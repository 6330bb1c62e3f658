// What the format's own package makes of blocks of every type: tests/data/tensor/blocks.bin (scripts/goldens/tensor_blocks.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <vector>

#include "tensor/blocks.h"
#include "tensor/panels.h"

namespace ridgeline {
namespace {

struct Golden {
  DType type;
  int64_t elements;
  std::vector<std::byte> blocks;
  std::vector<float> values;
};

std::vector<Golden> goldens() {
  std::ifstream file(RIDGELINE_TEST_DATA "/tensor/blocks.bin", std::ios::binary);
  std::vector<Golden> all;
  struct {
    char name[8];
    uint32_t count, size;
  } head;
  while (file.read(reinterpret_cast<char*>(&head), sizeof head)) {
    std::string name(head.name, strnlen(head.name, sizeof head.name));
    name[0] = 'q';
    auto type =
        std::find_if(std::begin(stored_types), std::end(stored_types), [&](DType t) { return name_of(t) == name; });
    EXPECT_NE(type, std::end(stored_types)) << name;
    Golden g{*type, head.count * row_of(*type).block, {}, {}};
    EXPECT_EQ(head.size, row_of(*type).block_bytes) << name;
    g.blocks.resize(size_t{head.count} * head.size), g.values.resize(static_cast<size_t>(g.elements));
    file.read(reinterpret_cast<char*>(g.blocks.data()), std::ssize(g.blocks));
    file.read(reinterpret_cast<char*>(g.values.data()), std::ssize(g.values) * 4);
    EXPECT_TRUE(file.good()) << name;
    all.push_back(g);
  }
  return all;
}

bool same(float a, float b) { return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (a != a && b != b); }

TEST(BlockGoldens, EveryGroupedTypeDequantizesToTheSameBits) {
  std::set<DType> seen;
  for (const Golden& g : goldens()) {
    seen.insert(g.type);
    std::vector<float> x(g.values.size());
    dequantize_row(g.type, g.blocks.data(), g.elements, x.data());
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_TRUE(same(x[i], g.values[i])) << name_of(g.type) << " " << i << ": " << x[i] << ", " << g.values[i];
  }
  for (DType t : stored_types) EXPECT_EQ(seen.contains(t), is_grouped(t)) << name_of(t);
}

TEST(BlockGoldens, UnpackingAndPackingLoseNothing) {
  for (const Golden& g : goldens()) {
    size_t size = static_cast<size_t>(row_of(g.type).block_bytes);
    for (size_t at = 0; at < g.blocks.size(); at += size) {
      BlockCodes codes{};
      std::vector<std::byte> again(size);
      unpack_block(g.type, g.blocks.data() + at, codes);
      pack_block(g.type, codes, again.data());
      ASSERT_TRUE(std::equal(again.begin(), again.end(), g.blocks.begin() + static_cast<ptrdiff_t>(at)))
          << name_of(g.type);
    }
  }
}

// The blocks as a matrix of 45 rows, one panel and a part of another: every weight of the panels is that of the file. A weight
// of -0 without a minimum comes out as +0.
TEST(BlockGoldens, PanelsHoldTheSameWeights) {
  constexpr int64_t rows = 45;
  for (const Golden& g : goldens()) {
    int64_t cols = 2 * row_of(g.type).block, row_bytes = bytes_of(g.type, cols), there = g.elements / cols;
    auto source = [&](int64_t n) { return n * 7 % there; };
    std::vector<std::byte> panels(static_cast<size_t>(packed_bytes(g.type, rows, cols)));
    auto row = [&](int64_t n) { return g.blocks.data() + source(n) * row_bytes; };
    pack_panels(g.type, rows, cols, row, panels.data(), 1, 2);
    pack_panels(g.type, rows, cols, row, panels.data(), 0, 1);
    for (int64_t n = 0; n < rows; ++n)
      for (int64_t k = 0; k < cols; ++k) {
        float expected = g.values[static_cast<size_t>(source(n) * cols + k)];
        if (!grouping_of(g.type).minimums) expected += 0.0f;
        float x = panel_element(g.type, panels.data(), cols, n, k);
        ASSERT_TRUE(same(x, expected)) << name_of(g.type) << " " << n << " " << k << ": " << x << ", " << expected;
      }
  }
}

}  // namespace
}  // namespace ridgeline
