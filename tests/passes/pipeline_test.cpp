#include <gtest/gtest.h>

#include <ctime>

#include "ops/ops.h"
#include "passes/passes.h"
#include "passes/tiny_models.h"

namespace ridgeline::test {
namespace {

Program tiny() { return build("tiny", DType::bf16, tiny_llama()); }

template <class T>
int64_t count(const Program& p) {
  return std::count_if(p.nodes.begin(), p.nodes.end(), [](const Node& n) { return n.op.as<T>() != nullptr; });
}

TEST(Pipeline, KeepsEveryStageInOrder) {
  PipelineOptions options;
  options.retype.kv = DType::f32;
  options.textbook = true;
  std::string order;
  for (const auto& s : run_passes(tiny(), pipeline(options))) order += s.pass + " ";
  EXPECT_EQ(order, "model retype select_logit_rows insert_kv_cache quantize_activations fuse expand ");
}

TEST(Pipeline, RefusesPassesOutOfOrder) {
  auto passes = pipeline(PipelineOptions());
  for (auto [first, second] :
       {std::pair{0, 3}, std::pair{1, 3}, std::pair{2, 3}, std::pair{0, 2}})  // fuse or quantize_activations first
    EXPECT_THROW(run_passes(tiny(), {passes[static_cast<size_t>(second)], passes[static_cast<size_t>(first)]}), Error);
  for (const auto& pass : passes) EXPECT_THROW(run_passes(tiny(), {pass, pass}), Error) << pass.name << " twice";
  Pass demanding{"demanding", {"cached"}, {}, "done", [](const Program& p) { return p; }};
  EXPECT_THROW(run_passes(tiny(), {demanding}), Error);
  EXPECT_NO_THROW(run_passes(tiny(), {passes[1], demanding}));
}

TEST(Pipeline, VerifiesAfterEachPass) {
  Pass broken{"broken", {}, {}, "broken", [](Program p) {
                std::swap(p.nodes[2], p.nodes[3]);
                return p;
              }};
  EXPECT_THROW(run_passes(tiny(), {broken}), Error);
}

TEST(Pipeline, LeavesOutWhatIsDisabled) {
  for (const char* name : {"select_logit_rows", "insert_kv_cache", "quantize_activations", "fuse"}) {
    PipelineOptions options;
    options.disabled = {name};
    for (const auto& s : run_passes(tiny(), pipeline(options))) EXPECT_NE(s.pass, name);
  }
}

TEST(Pipeline, KnowsWhatCanBeDisabled) {
  EXPECT_NO_THROW(check_names({"fuse", "linears", "expand", "retype"}));
  try {
    check_names({"fuze"});
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::usage);
    EXPECT_NE(std::string(e.what()).find("linear_silu_mul"), std::string::npos) << e.what();
  }
}

TEST(Fuse, EveryFusionHasItsPlaceAndCanBeDisabled) {
  std::set<std::string> seen;
  for (const auto& config : {ModelConfig(tiny_llama()), ModelConfig(tiny_gpt2())}) {
    PipelineOptions none;
    none.disabled = {"fuse"};
    Program p = apply(build("m", DType::bf16, config), none);
    auto names = [](const Program& q) {
      std::set<std::string> all;
      for (const auto& n : q.nodes) all.emplace(n.op.name());
      return all;
    };
    for (const auto& fusion : fusion_names()) {
      if (names(fuse(p)).contains(fusion)) seen.insert(fusion);
      EXPECT_FALSE(names(fuse(p, {fusion})).contains(fusion)) << fusion;
    }
  }
  auto names = fusion_names();
  std::set<std::string> all(names.begin(), names.end());
  for (const char* rare : {"linear_gelu_mul", "linear_silu"}) all.erase(rare);  // no family here has them
  EXPECT_EQ(seen, all);
}

TEST(SelectLogitRows, ComputesTheWantedRowsOnly) {
  Program p = select_logit_rows(tiny());
  const Type& logits = p.type(p.output("logits"));
  EXPECT_EQ(logits.rows(), Count(Symbol::logit_rows));
  int64_t norms_of_rows = 0;
  for (const auto& n : p.nodes)
    if (n.op.as<RmsNorm>()) norms_of_rows += p.type(n.results[0]).rows() == Count(Symbol::logit_rows);
  EXPECT_EQ(norms_of_rows, 1) << "the choice moves above the last norm, not above the residual";
}

TEST(SelectLogitRows, StaysBelowWhatIsWantedWhole) {
  Program p = tiny();
  Value norm = p.nodes.back().op.operands()[0];
  p.outputs.push_back({"hidden", norm});
  p = select_logit_rows(p);
  EXPECT_EQ(p.type(p.output("hidden")).rows(), Count(Symbol::tokens));
  EXPECT_EQ(p.type(p.output("logits")).rows(), Count(Symbol::logit_rows));
}

TEST(InsertKvCache, EveryAttentionReadsState) {
  Program p = insert_kv_cache(tiny());
  EXPECT_EQ(count<Append>(p), 4);
  EXPECT_EQ(p.outputs.size(), 5u);
  for (const auto& n : p.nodes)
    if (auto* a = n.op.as<Attention>()) {
      EXPECT_EQ(p.type(a->keys).role, Role::kv);
      EXPECT_EQ(p.type(a->values).rows(), Count(Symbol::keys));
    }
}

TEST(QuantizeActivations, SharesWhatIsShared) {
  Program p = quantize_activations(tiny());
  EXPECT_EQ(count<Quantize>(p), 2 * 4 + 1);  // per layer: q k v, attn_out, gate up, down; and the head
  for (auto t : {DType::f32, DType::f16})
    EXPECT_EQ(count<Quantize>(quantize_activations(build("t", t, tiny_llama()))), 0);
}

TEST(Expand, LeavesNoFusedOp) {
  Program p = expand(apply(tiny(), PipelineOptions()));
  EXPECT_EQ(count<Attention>(p), 0);
  EXPECT_EQ(count<PairSoftmax>(p), 2);
  EXPECT_EQ(expand(p).text(), p.text());
}

TEST(Retype, TouchesMatricesAndAttentionOnly) {
  Program p =
      retype(tiny(),
             {[](const std::string& name, DType now) { return name.ends_with("up") ? DType::q8_0 : now; }, DType::f32});
  verify(p);
  for (const auto& v : p.values)
    if (v.origin == Program::Origin::weight) {
      EXPECT_EQ(v.type.dtype, !v.type.is_matrix()      ? DType::f32
                              : v.name.ends_with("up") ? DType::q8_0
                                                       : DType::bf16)
          << v.name;
    }
  for (const auto& n : p.nodes)
    if (auto* a = n.op.as<Attention>()) { EXPECT_EQ(a->type, DType::f32); }
}

TEST(Retype, RefusesATypeThatRowsAreNoWholeBlocksOf) {
  try {
    retype(tiny(), {[](const std::string&, DType) { return DType::q4_K; }, {}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::usage);
    EXPECT_NE(std::string(e.what()).find("not whole blocks of q4_K (256)"), std::string::npos) << e.what();
  }
}

#ifdef NDEBUG
TEST(Pipeline, IsFastOnTheLargestModel) {
  std::clock_t start = std::clock();  // of the processor: what else the machine does is not counted
  apply(build("large", DType::bf16, from_catalogue("llama-3.1-405b").config), PipelineOptions());
  EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, 1.0);
}
#endif

}  // namespace
}  // namespace ridgeline::test
