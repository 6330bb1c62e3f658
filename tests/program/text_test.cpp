#include <gtest/gtest.h>

#include "ops/ops.h"
#include "program/builder.h"
#include "program/rewriter.h"

namespace ridgeline {
namespace {

Program small() {
  Builder b("small", DType::bf16);
  Expr tokens = b.tokens(), embed = b.weight("embed", {10, 8});
  Expr x = embedding(tokens, embed);
  for (auto layer : b.layers(2)) {
    Expr h = rms_norm(x, layer("norm"), 1e-5f);
    x = x + linear(h, layer("w"), layer("b"), 8);
  }
  return b.finish("logits", linear(x, b.weight("head"), 10));
}

TEST(ProgramText, ReadsLikeThePaper) {
  EXPECT_EQ(small().text(), R"(small:
  tokens: i32[tokens]
  embed: bf16[10, 8]
  layers.0.norm: f32[8]
  layers.0.w: bf16[8, 8]
  layers.0.b: f32[8]
  layers.1.norm: f32[8]
  layers.1.w: bf16[8, 8]
  layers.1.b: f32[8]
  head: bf16[10, 8]
  x = W.embed[tokens]  : f32[tokens, 8]
  h = rms_norm(x, W.layers.0.norm, eps=1e-05)  : f32[tokens, 8]
  w = linear(h, W.layers.0.w, W.layers.0.b)  : f32[tokens, 8]
  x.1 = x + w  : f32[tokens, 8]
  h.1 = rms_norm(x.1, W.layers.1.norm, eps=1e-05)  : f32[tokens, 8]
  w.1 = linear(h.1, W.layers.1.w, W.layers.1.b)  : f32[tokens, 8]
  x.2 = x.1 + w.1  : f32[tokens, 8]
  logits = linear(x.2, W.head)  : f32[tokens, 10]
  -> logits = logits
)");
}

TEST(ProgramText, NotationsMayTakeTheRestOfTheOperands) {
  auto name = [](Value v) { return std::string(1, static_cast<char>('a' + v.id)); };
  EXPECT_EQ(Op(LinearAdd{{0}, {1}, {2}, {}}).text(name), "a + linear(b, c)");
  EXPECT_EQ(Op(LinearAdd{{0}, {1}, {2}, {3}}).text(name), "a + linear(b, c, d)");
  EXPECT_EQ(Op(RmsNorm{{0}, {1}, 0.5f}).text(name), "rms_norm(a, b, eps=0.5)");
  EXPECT_EQ(Op(RmsNorm{{0}, {1}, 0.5f}).text(name, true), "rms_norm(a, b)");
  EXPECT_EQ(Op(RmsNorm{{0}, {1}, 0.5f}).text([&](Value v) { return v.id ? "" : name(v); }, true), "rms_norm(a)");
}

TEST(Op, AttributesAreComparedExactly) {
  EXPECT_TRUE(Op(RmsNorm{{0}, {1}, 1e-5f}).same_attributes(RmsNorm{{2}, {3}, 1e-5f}));
  EXPECT_FALSE(Op(RmsNorm{{0}, {1}, 1e-5f}).same_attributes(RmsNorm{{0}, {1}, std::nextafter(1e-5f, 1.0f)}));
  EXPECT_FALSE(Op(Quantize{{0}, DType::q8}).same_attributes(Quantize{{0}, DType::bf16}));
  EXPECT_FALSE(Op(Add{{0}, {1}}).same_attributes(Gated<Silu>{{0}, {1}}));
  RopeFrequencies plain(8, 10000), stretched(8, 10000, {1, 2, 3, 1}), other(8, 10000, {1, 3, 2, 1});
  EXPECT_TRUE(Op(Rotations{{0}, stretched}).same_attributes(Rotations{{0}, stretched}));
  EXPECT_FALSE(Op(Rotations{{0}, stretched}).same_attributes(Rotations{{0}, other}));
  EXPECT_FALSE(Op(Rotations{{0}, plain}).same_attributes(Rotations{{0}, stretched}));
}

TEST(Rewriter, ACopyIsTheSame) {
  Program p = small();
  Program copy = rewrite(p, [](Rewriter& r, const Node& n) { r.keep(n); });
  verify(copy);
  EXPECT_EQ(copy.text(), p.text());
  for (size_t i = 0; i < p.nodes.size(); ++i) EXPECT_EQ(copy.nodes[i].layer, p.nodes[i].layer);
}

TEST(Rewriter, ReplacementsKeepPlaceNameAndLayer) {
  Program p = rewrite(small(), [](Rewriter& r, const Node& n) {
    if (auto* norm = n.op.as<RmsNorm>())
      r.replace(n, Activation<Silu>{r(norm->x)});
    else
      r.keep(n);
  });
  verify(p);
  EXPECT_NE(p.text().find("  h = silu(x)  : f32[tokens, 8]\n"), std::string::npos) << p.text();
  EXPECT_EQ(p.nodes[1].layer, 0);
  EXPECT_EQ(p.nodes[4].layer, 1);
}

TEST(Rewriter, RefusesToUseWhatWasDropped) {
  EXPECT_THROW(rewrite(small(),
                       [](Rewriter& r, const Node& n) {
                         if (!n.op.as<RmsNorm>()) r.keep(n);
                       }),
               Error);
}

TEST(Uses, KnowsProducersAndUsers) {
  Program p = small();
  Uses uses(p);
  Value x = p.nodes[0].results[0], logits = p.output("logits");
  EXPECT_EQ(uses.producer(x), &p.nodes[0]);
  EXPECT_EQ(uses.count(x), 2);
  EXPECT_EQ(uses.count(logits), 1);
  EXPECT_TRUE(uses.made_by<Linear>(logits));
  EXPECT_FALSE(uses.made_by<Add>(logits));
  EXPECT_FALSE(uses.made_by<Linear>(p.find("embed")));
  EXPECT_THROW(p.output("nothing"), Error);
  EXPECT_FALSE(p.find("nothing"));
}

}  // namespace
}  // namespace ridgeline
