// The linear kernels at the sizes where their walk through memory changes: more rows than a strip, rows longer than a chunk of
// weights, more panels than a part, several weights of uneven size. Odd small shapes are in cells_test.cpp.
#include <gtest/gtest.h>

#include "kernels/harness.h"
#include "ops/fused.h"

namespace ridgeline::test {
namespace {

std::vector<Signature> signatures() {
  std::vector<Signature> all = {{DType::bf16, DType::bf16}, {DType::f32, DType::f32}, {DType::f32, DType::f16}};
  for (DType t : stored_types)
    if (is_grouped(t)) all.push_back({DType::q8, t});
  return all;
}

// Every usable set must have the cell.
void expect_equal(OneOp& one, std::string_view op, Signature s) {
  static Team teams[] = {Team(1), Team(2), Team(3)};
  for (const KernelSet* set : usable_kernel_sets()) {
    const Cell* cell = set->find(op, s);
    ASSERT_NE(cell, nullptr) << set->name << " lacks " << op << " " << s.text();
    for (Team& team : teams) EXPECT_EQ(one.difference(*cell, team), "") << set->name;
  }
}

class LinearKernels : public testing::TestWithParam<Signature> {
 protected:
  // At least n columns, in whole blocks of the weight's type.
  static int64_t columns(int64_t n) {
    int64_t block = row_of(GetParam().other).block;
    return (n + block - 1) / block * block;
  }
};

TEST_P(LinearKernels, LongRowsOfMoreThanOneChunk) {
  for (const char* rows : {"1", "3", "8"}) {
    OneOp one(Numbers::ordinary, 11, BatchShape::parse(rows));
    Value x = one.activation(GetParam().input, Symbol::tokens, columns(2080)),
          w = one.weight(GetParam().other, 40, columns(2080));
    one.set(Linear{x, w, one.vector(40)});
    expect_equal(one, "linear", GetParam());
  }
}

TEST_P(LinearKernels, MoreRowsThanAStrip) {
  for (const char* rows : {"191", "193", "400"}) {
    OneOp one(Numbers::small, 12, BatchShape::parse(rows));
    Value before = one.activation(DType::f32, Symbol::tokens, 70),
          x = one.activation(GetParam().input, Symbol::tokens, columns(96));
    Value w = one.weight(GetParam().other, 70, columns(96));
    one.set(LinearAdd{before, x, w, {}});
    expect_equal(one, "linear_add", GetParam());
  }
}

TEST_P(LinearKernels, GateAndUpOfTwoStrips) {
  OneOp one(Numbers::ordinary, 13, BatchShape::parse("200"));
  Value x = one.activation(GetParam().input, Symbol::tokens, columns(64));
  Value gate = one.weight(GetParam().other, 100, columns(64)), up = one.weight(GetParam().other, 100, columns(64));
  one.set(LinearGated<Silu>{x, gate, up});
  expect_equal(one, "linear_silu_mul", GetParam());
}

TEST_P(LinearKernels, SeveralWeightsInManyParts) {
  for (const char* rows : {"1", "2", "4", "5", "230"}) {
    OneOp one(Numbers::ordinary, 14, BatchShape::parse(rows));
    Linears op{one.activation(GetParam().input, Symbol::tokens, columns(32)), {}, {}};
    for (int64_t n : {1000, 33, 1, 96, 2000}) op.weights.push_back(one.weight(GetParam().other, n, columns(32)));
    one.set(op);
    expect_equal(one, "linears", GetParam());
  }
}

TEST_P(LinearKernels, NoRowsAtAll) {
  OneOp one(Numbers::ordinary, 15, BatchShape{{{.fresh = 2, .logit_rows = 0}}});
  Value x = one.activation(GetParam().input, Symbol::logit_rows, columns(64)),
        w = one.weight(GetParam().other, 64, columns(64));
  one.set(Linear{x, w, {}});
  expect_equal(one, "linear", GetParam());
}

// Biases of a file may be fp16 or bf16.
TEST_P(LinearKernels, BiasesOfTheShortTypes) {
  for (DType type : {DType::f16, DType::bf16})
    for (const char* rows : {"2", "9"}) {
      OneOp one(Numbers::small, 16, BatchShape::parse(rows));
      Value x = one.activation(GetParam().input, Symbol::tokens, columns(64)),
            w = one.weight(GetParam().other, 45, columns(64));
      one.set(Linear{x, w, one.activation(type, Dim(1), 45)});
      expect_equal(one, "linear", GetParam());
    }
}

INSTANTIATE_TEST_SUITE_P(All, LinearKernels, testing::ValuesIn(signatures()), [](const auto& p) {
  return fmt::format("{}_{}", name_of(p.param.input), name_of(p.param.other));
});

}  // namespace
}  // namespace ridgeline::test
