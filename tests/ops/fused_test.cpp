// A fused op gives the bits of the ops it stands for, on ordinary and on extreme values.
#include <gtest/gtest.h>

#include "ops/op_cases.h"
#include "ops/reference_run.h"
#include "program/rewriter.h"

namespace ridgeline::test {
namespace {

// Every op as the ops it stands for, attention apart: that has an arithmetic of its own.
Program expanded(const Program& p) {
  return rewrite(p, [](Rewriter& r, const Node& n) {
    auto results = n.op.as<Attention>() ? std::vector<Expr>() : n.op.expand(r.scope());
    if (results.empty()) return r.keep(n);
    r.replace(n.results, Values(results.begin(), results.end()));
  });
}

TEST(FusedOps, EqualTheirExpansionBitForBit) {
  int fused = 0;
  for (const auto& c : op_cases()) {
    const Program& p = c.program;
    Program apart = expanded(p);
    if (apart.nodes.size() == 1) continue;  // not a fused op
    verify(apart);
    ++fused;
    for (const Sample& sample : {Sample(ordinary), Sample(extreme)})
      for (const auto& batch : batches_for(p)) {
        SCOPED_TRACE(p.name + " at " + batch.text());
        ReferenceRun one(p, c.head_dim, sample), many(apart, c.head_dim, sample);
        one.step(sequences_of(batch)), many.step(sequences_of(batch));
        for (size_t i = 0; i < p.outputs.size(); ++i)
          EXPECT_TRUE(same_bits(one.tensor(p.outputs[i].value), many.tensor(apart.outputs[i].value)))
              << p.outputs[i].name;
      }
  }
  EXPECT_GT(fused, 100);
}

// What a fused op costs beyond bytes is what its parts cost.
TEST(FusedOps, HaveTheFlopsOfTheirExpansion) {
  for (const auto& c : op_cases()) {
    const Program& p = c.program;
    Program apart = expanded(p);
    Count flops;
    for (const auto& n : apart.nodes) flops += apart.cost(n).flops();
    EXPECT_EQ(flops, p.cost(p.nodes[0]).flops()) << p.name;
  }
}

}  // namespace
}  // namespace ridgeline::test
