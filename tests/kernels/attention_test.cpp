// Attention where its work is cut: segments, splits among workers, windows, no cache at all.
#include <gtest/gtest.h>

#include "kernels/harness.h"
#include "ops/attention.h"

namespace ridgeline::test {
namespace {

struct Shape {
  const char* batch;
  int kv_heads, group, head_dim, window;
};
void PrintTo(const Shape& s, std::ostream* out) {
  *out << fmt::format("{} with {} x {} heads of {}, window {}", s.batch, s.kv_heads, s.group, s.head_dim, s.window);
}

class AttentionCells : public testing::TestWithParam<Shape> {
 protected:
  static void expect_equal(OneOp& one) {
    static Team teams[] = {Team(1), Team(2), Team(3), Team(8)};
    int cells = 0;
    for (const KernelSet* set : usable_kernel_sets())
      if (const Cell* cell = set->find("attention", one.signature()))
        for (Team& team : teams) {
          ++cells;
          ASSERT_EQ(one.difference(*cell, team), "") << set->name;
        }
    EXPECT_EQ(cells, 4 * static_cast<int>(usable_kernel_sets().size()));
  }
  static int kv_cols() { return GetParam().kv_heads * GetParam().head_dim; }
  static Value query(OneOp& one) { return one.activation(DType::f32, Symbol::tokens, kv_cols() * GetParam().group); }
};

TEST_P(AttentionCells, ReadACache) {
  const Shape& s = GetParam();
  for (DType type : {DType::bf16, DType::f32})
    for (Numbers numbers : all_numbers) {
      OneOp one(numbers, 3, BatchShape::parse(s.batch));
      Value q = query(one), k = one.cache(type, Layout::keys, s.kv_heads, s.head_dim),
            v = one.cache(type, Layout::values, s.kv_heads, s.head_dim);
      Value sequences = one.sequences();
      one.set(Attention{q, k, v, sequences, one.slots(), s.head_dim, s.window, 0.25f, type});
      expect_equal(one);
    }
}

TEST_P(AttentionCells, ReadRowsWithoutACache) {
  const Shape& s = GetParam();
  for (DType type : {DType::bf16, DType::f32})
    for (Numbers numbers : all_numbers) {
      OneOp one(numbers, 4, BatchShape::parse(s.batch).uncached());
      if (one.batch().sequences.front().fresh > 300)
        continue;  // the reference would take long; ReadACache has such lengths
      Value q = query(one), k = one.activation(DType::f32, Symbol::tokens, kv_cols()),
            v = one.activation(DType::f32, Symbol::tokens, kv_cols());
      one.set(Attention{q, k, v, one.sequences(), {}, s.head_dim, s.window, 0.25f, type});
      expect_equal(one);
    }
}

constexpr Shape shapes[] = {
    {"1@511", 1, 1, 64, 0},      // the last key of a segment
    {"1@512", 1, 3, 64, 0},      // the first of the next
    {"1@1700", 1, 3, 64, 0},     // one sequence, split among all workers
    {"1@1100", 2, 4, 128, 700},  // a window that begins inside a segment
    {"2@1023,1@40,1@600", 1, 2, 32, 0},
    {"5@510", 1, 3, 32, 0},      // queries on both sides of a segment's end
    {"5@1030", 1, 3, 16, 520},   // windows, too
    {"3@900", 1, 16, 16, 33},    // a group of more heads than a block has rows
    {"40@500", 1, 1, 32, 30},    // blocks whose rows see different segments
    {"30@20,7,1", 2, 3, 64, 0},  // several blocks a sequence
    {"70", 1, 2, 48, 5},         // a window shorter than a block of queries
    {"33,2,64", 3, 3, 20, 0},
    {"1@31,1@32,1@33,1", 2, 5, 34, 1},  // every query sees itself alone
};
INSTANTIATE_TEST_SUITE_P(All, AttentionCells, testing::ValuesIn(shapes));

}  // namespace
}  // namespace ridgeline::test
