#include <gtest/gtest.h>

#include "made_up_profile.h"
#include "ops/ops.h"
#include "profiler/profile_opportunities.h"
#include "profiler/profile_report.h"

namespace ridgeline {
namespace {

using Kind = Opportunity::Kind;

// what: all of it, or its beginning where it ends in a space.
const Opportunity* find(const std::vector<Opportunity>& all, Kind kind, std::string_view what) {
  for (const auto& o : all)
    if (o.kind == kind && (o.what == what || (what.ends_with(' ') && o.what.starts_with(what)))) return &o;
  return nullptr;
}
size_t node_of(const Profile& p, std::string_view op) {
  for (size_t i = 0; i < p.program.nodes.size(); ++i)
    if (p.program.nodes[i].op.name() == op) return i;
  ADD_FAILURE() << "no op " << op;
  return 0;
}

// What a weight is called says which family its product is of; the classification does not look at names.
TEST(Families, AreThoseThatTheWeightsNamesSay) {
  const std::set<std::string> of_attention = {"q", "k", "v", "attn_out"}, of_feed_forward = {"gate", "up", "down"};
  int seen = 0;
  for (const char* name : {"smollm2-135m", "gpt2", "pythia-70m", "qwen2.5-0.5b", "qwen3-0.6b", "gemma-3-270m"})
    for (std::set<std::string> disabled : {std::set<std::string>{}, {"fuse"}}) {
      auto model = from_catalogue(name);
      PipelineOptions options;
      options.disabled = disabled;
      Program p = apply(build(name, DType::bf16, model.config), options);
      auto families = families_of(p);
      for (size_t i = 0; i < p.nodes.size(); ++i)
        for (const Touch& t : p.cost(p.nodes[i]).reads) {
          if (!p.type(t.value).is_matrix() || p.cost(p.nodes[i]).matmul.is_zero()) continue;
          std::string weight = p.entry(t.value).name.substr(p.entry(t.value).name.rfind('.') + 1);
          OpFamily expected = p.nodes[i].layer < 0               ? OpFamily::head
                              : of_attention.contains(weight)    ? OpFamily::attention_linear
                              : of_feed_forward.contains(weight) ? OpFamily::feed_forward_linear
                                                                 : OpFamily::rows;
          EXPECT_EQ(families[i], expected) << name << " " << weight;
          ++seen;
        }
    }
  EXPECT_GT(seen, 500);
}

TEST(Opportunities, TheMostComesFirst) {
  Profile p = made_up_profile();
  auto all = opportunities(p);
  ASSERT_GT(all.size(), 5u);
  for (size_t i = 1; i < all.size(); ++i) EXPECT_GE(all[i - 1].seconds, all[i].seconds);
  // An op at its roof has nothing to give back.
  size_t head = p.program.nodes.size() - 1;
  ASSERT_TRUE(find(all, Kind::below_roof, "logits = "));
  EXPECT_DOUBLE_EQ(find(all, Kind::below_roof, "logits = ")->seconds, p.ops[head].ideal);
  p.ops[head].measured = p.ops[head].ideal;
  EXPECT_FALSE(find(opportunities(p), Kind::below_roof, "logits = "));
  auto* barriers = find(all, Kind::barriers, "barriers");
  ASSERT_TRUE(barriers);
  EXPECT_EQ(barriers->places, p.ops.size());
  EXPECT_DOUBLE_EQ(barriers->seconds, p.in_barriers());
}

TEST(Opportunities, ASlowPathIsNamed) {
  Profile p = made_up_profile();
  size_t attention = node_of(p, "attention");
  for (size_t i = 0; i < p.ops.size(); ++i)
    if (p.program.nodes[i].op.name() == "attention") p.sets[i] = "reference", p.ops[i].measured = 1;
  auto all = opportunities(p);
  EXPECT_EQ(all[0].kind, Kind::slow_path);
  EXPECT_TRUE(all[0].what.starts_with("a = attention(")) << all[0].what;
  EXPECT_EQ(all[0].places, 2u);
  EXPECT_NE(all[0].why.find(p.program.signature(p.program.nodes[attention]).text()), std::string::npos);
  EXPECT_NEAR(all[0].seconds, 2 - 2 * p.ops[attention].ideal, 1e-9);
}

// A fusion that was left out: what it saves is what the program with it costs less.
TEST(Opportunities, AFusionLeftOutSaysItsBytes) {
  Profile without = made_up_profile({"linear_add"}), with = made_up_profile();
  auto all = opportunities(without);
  auto* fusion = find(all, Kind::fusion, "linear_add");
  ASSERT_TRUE(fusion);
  EXPECT_EQ(fusion->bytes, without.cost.sum.bytes() - with.cost.sum.bytes());
  EXPECT_EQ(fusion->ops_less, 4);  // two a layer
  EXPECT_NEAR(fusion->seconds, static_cast<double>(fusion->bytes) / 1e9 + 4e-6, 1e-12);
  EXPECT_FALSE(find(opportunities(with), Kind::fusion, "linear_add"));
}

// attention writes [1, 64] in fp32, and quantize alone reads it: 512 bytes a layer, two layers.
TEST(Opportunities, AChainSaysItsBytes) {
  auto all = opportunities(made_up_profile());
  auto* chain = find(all, Kind::fusion, "attention and quantize");
  ASSERT_TRUE(chain);
  EXPECT_EQ(chain->places, 2u);
  EXPECT_EQ(chain->bytes, 2 * 2 * 64 * 4);
  EXPECT_EQ(chain->ops_less, 2);
  EXPECT_NEAR(chain->seconds, 1024 / 1e9 + 2e-6, 1e-12);
}

// What ops moved may have been in a cache: a fusion gives back no more than they took.
TEST(Opportunities, AFusionGivesBackNoMoreThanItsOpsTook) {
  Profile p = made_up_profile(), unfused = made_up_profile({"linear_add"});
  for (Profile* of : {&p, &unfused})
    for (size_t i = 0; i < of->ops.size(); ++i)
      if (auto op = of->program.nodes[i].op.name(); op == "quantize" || op == "add") of->ops[i].measured = 1e-10;
  auto all = opportunities(p), left_out = opportunities(unfused);
  EXPECT_NEAR(find(all, Kind::fusion, "attention and quantize")->seconds, 2e-10 + 2e-6, 1e-12);
  EXPECT_NEAR(find(left_out, Kind::fusion, "linear_add")->seconds, 4e-10 + 4e-6, 1e-12);
}

TEST(Report, AnswersFirst) {
  Profile p = made_up_profile();
  std::string text = profile_text(p);
  size_t answer = text.find('\n') + 1;
  EXPECT_EQ(text.substr(answer, 5), "step ") << text;
  EXPECT_NE(text.find("% of this machine's roof", answer), std::string::npos);
  for (auto part : {"feed-forward linear", "barriers", "choosing the token", "not explained", "fuse "})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_EQ(text.find("predicted"), std::string::npos) << "there is no prediction without efficiencies";
}

}  // namespace
}  // namespace ridgeline
