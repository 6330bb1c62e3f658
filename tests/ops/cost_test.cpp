// Costs are tested, not trusted: FLOPs by running the reference evaluation on a counting scalar, bytes by marking each element
// it touches. Neither calls the formula it checks.
#include <gtest/gtest.h>

#include <set>

#include "ops/op_cases.h"
#include "ops/reference_run.h"

namespace ridgeline::test {
namespace {

TEST(AllOps, HaveACase) {
  std::set<std::string_view> with_case;
  for (const auto& c : op_cases()) with_case.insert(c.program.nodes[0].op.name());
  auto check = [&](std::string_view name) {
    EXPECT_TRUE(with_case.erase(name)) << name << " has no case in op_cases.h";
  };
  std::apply([&](auto... op) { (check(decltype(op)::name), ...); }, AllOps());
  EXPECT_TRUE(with_case.empty()) << *with_case.begin() << " is not in AllOps";
}

int64_t listed(const std::vector<Touch>& touches, Value v, const BatchShape& batch) {
  int64_t n = 0;
  for (const auto& t : touches)
    if (t.value == v) n += t.elements.at(batch);
  return n;
}

TEST(AllOps, CostIsWhatEvaluationDoes) {
  for (const auto& c : op_cases()) {
    const Program& p = c.program;
    const Node& n = p.nodes[0];
    for (const auto& batch : batches_for(p)) {
      SCOPED_TRACE(p.name + " at " + batch.text());
      ReferenceRun run(p, c.head_dim);
      Counted::flops = 0;
      run.step<Counted>(sequences_of(batch));
      Cost cost = p.cost(n);
      EXPECT_EQ(cost.flops().at(batch), Counted::flops);
      Values operands = n.op.operands();
      for (Value v : std::set<Value>(operands.begin(), operands.end())) {
        const auto& touched = run.touched(v);
        EXPECT_EQ(listed(cost.reads, v, batch), std::count(touched.read.begin(), touched.read.end(), true))
            << "read of " << p.entry(v).name;
        EXPECT_EQ(0, std::count(touched.written.begin(), touched.written.end(), true))
            << p.entry(v).name << " is written";
      }
      for (Value v : n.results) {
        const auto& touched = run.touched(v);
        EXPECT_EQ(listed(cost.writes, v, batch), std::count(touched.written.begin(), touched.written.end(), true))
            << "write of " << p.entry(v).name;
        EXPECT_EQ(0, std::count(touched.read.begin(), touched.read.end(), true)) << p.entry(v).name << " is read back";
      }
    }
  }
}

// Matrix products and attention products apart from the rest: the closed forms of each op's page.
TEST(AllOps, ProductsAreCountedApart) {
  for (const auto& c : op_cases()) {
    const Program& p = c.program;
    Cost cost = p.cost(p.nodes[0]);
    int64_t weights = 0;
    for (Value v : p.nodes[0].op.operands())
      if (p.type(v).is_matrix() && !p.nodes[0].op.as<SelectRows>()) weights += p.type(v).elements().constant();
    EXPECT_EQ(cost.matmul, Count(2 * weights) * Symbol::tokens) << p.name;
    bool attends = p.name.starts_with("attention") || p.name.starts_with("pair_");
    EXPECT_EQ(cost.attention.is_zero(), !attends) << p.name;
  }
}

}  // namespace
}  // namespace ridgeline::test
