#include "program/memory_plan.h"

#include <gtest/gtest.h>

#include <random>

#include "models/catalogue.h"
#include "ops/ops.h"
#include "passes/passes.h"

namespace ridgeline {
namespace {

// Values that are needed at the same time never share a byte; nothing lies outside the arena.
void expect_sound(const Program& p, const BatchShape& batch) {
  MemoryPlan plan = plan_memory(p, batch);
  EXPECT_LE(plan.peak, plan.total);
  auto count = static_cast<int>(p.nodes.size());
  struct Life {
    int64_t begin, end;
    int born, dies;
    size_t value;
  };
  std::vector<Life> lives;
  for (int i = 0; i < count; ++i)
    for (Value v : p.nodes[static_cast<size_t>(i)].results) {
      auto id = static_cast<size_t>(v.id);
      if (p.type(v).role == Role::kv) {
        EXPECT_EQ(plan.offset[id], -1) << "a version of state lies where the state lies";
        continue;
      }
      int dies = i;
      for (int j = i; j < count; ++j)
        for (Value used : p.nodes[static_cast<size_t>(j)].op.operands())
          if (used == v) dies = j;
      for (const auto& o : p.outputs)
        if (o.value == v) dies = count;
      ASSERT_GE(plan.offset[id], 0);
      EXPECT_EQ(plan.offset[id] % 64, 0);
      int64_t bytes = p.type(v).bytes().at(batch);
      EXPECT_LE(plan.offset[id] + bytes, plan.peak);
      lives.push_back({plan.offset[id], plan.offset[id] + bytes, i, dies, id});
    }
  for (const auto& a : lives)
    for (const auto& b : lives)
      if (a.value < b.value && a.born <= b.dies && b.born <= a.dies) {
        EXPECT_TRUE(a.end <= b.begin || b.end <= a.begin)
            << p.labels()[a.value] << " and " << p.labels()[b.value] << " overlap";
      }
}

TEST(MemoryPlan, RandomPrograms) {
  std::mt19937 r(1);
  for (int round = 0; round < 200; ++round) {
    Program p;
    std::vector<Value> values = {p.declare("x", {DType::f32, {Symbol::tokens, Dim(96)}}, Program::Origin::input)};
    auto any = [&] { return values[r() % values.size()]; };
    Value weights[3];
    for (int i = 0; i < 3; ++i)
      weights[i] = p.declare("w" + std::to_string(i), {DType::f32, {Dim(32 * (i + 1)), Dim(96)}, Role::weight},
                             Program::Origin::weight);
    for (int i = 0; i < 25; ++i) {
      Value a = any();
      if (p.type(a).cols() == 96 && p.type(a).dtype == DType::f32) {
        if (r() % 3)
          values.push_back(p.add(Linear{a, weights[r() % 3], {}})[0]);
        else if (r() % 2)
          values.push_back(p.add(Add{a, a})[0]);
        else
          for (Value v : p.add(Linears{a, {weights[0], weights[1]}, {}})) values.push_back(v);
      } else if (p.type(a).dtype == DType::f32) {
        values.push_back(p.add(Quantize{a, r() % 2 ? DType::q8 : DType::bf16})[0]);
      }
    }
    for (int i = 0; i < 3; ++i) p.outputs.push_back({"y" + std::to_string(i), any()});
    for (const char* batch : {"1", "3@5,17", "200"}) expect_sound(p, BatchShape::parse(batch));
  }
}

TEST(MemoryPlan, ModelsThroughEveryStage) {
  for (const char* model : {"smollm2-135m", "gpt2"}) {
    PipelineOptions options;
    options.textbook = true;
    for (const auto& stage : run_passes(build(model, DType::bf16, from_catalogue(model).config), pipeline(options)))
      expect_sound(stage.program,
                   stage.program.is_cached() ? BatchShape::parse("5x1@30,40@3") : BatchShape::parse("31,43"));
  }
}

TEST(MemoryPlan, PeakDoesNotGrowWithLayers) {
  LlamaConfig two{.layers = 2, .dim = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .vocab = 50, .context = 128}, ten = two;
  ten.layers = 10;
  BatchShape batch = BatchShape::parse("7@3,1@90");
  const PipelineOptions usual;
  MemoryPlan a = plan_memory(apply(build("a", DType::bf16, two), usual), batch),
             b = plan_memory(apply(build("b", DType::bf16, ten), usual), batch);
  EXPECT_EQ(a.peak, b.peak);
  EXPECT_GT(b.total, 3 * a.total);
}

}  // namespace
}  // namespace ridgeline
