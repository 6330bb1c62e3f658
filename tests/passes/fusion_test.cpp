// A fusion cannot be wrong: match() may guess anything, the pass takes only what the program computes.
#include "passes/fusion.h"

#include <gtest/gtest.h>

#include "ops/ops.h"
#include "program/builder.h"

namespace ridgeline::test {
namespace {

struct Parts {
  Program p;
  Value x, gate, up, other, g, u, y;
};
// y = silu(x gate) * (x up), and a third matrix that nothing uses.
Parts parts(bool keep_inner = false) {
  Builder b("parts", DType::bf16);
  Expr tokens = b.tokens(), table = b.weight("table", {9, 32});
  Expr x = embedding(tokens, table), gate = b.weight("gate", {16, 32}), up = b.weight("up", {16, 32}),
       other = b.weight("other", {16, 32});
  Expr g = linear(x, gate);
  Expr u = linear(x, up);
  Expr y = silu_mul(g, u);
  Parts parts{{}, x, gate, up, other, g, u, y};
  parts.p = b.finish("y", y);
  if (keep_inner) parts.p.outputs.push_back({"u", u});
  return parts;
}

Fusion guess(const Parts& t, const Op& op, Values results) {
  return {"guess", [=](const Program&, const Uses&, const Node& n) -> std::optional<Found> {
            return n.results[0] == t.y ? std::optional(Found{op, results}) : std::nullopt;
          }};
}
void declined(const Parts& t, const Op& op, std::string_view why) {
  Program after = fuse_one(t.p, guess(t, op, {t.y}));
  EXPECT_EQ(after.text(), t.p.text()) << why;
}

TEST(Fusion, TakesWhatTheProgramComputes) {
  Parts t = parts();
  Program after = fuse_one(t.p, guess(t, LinearGated<Silu>{t.x, t.gate, t.up}, {t.y}));
  verify(after);
  EXPECT_EQ(after.nodes.size(), 2u);
  EXPECT_TRUE(after.nodes[1].op.as<LinearGated<Silu>>());
}

TEST(Fusion, DeclinesWrongGuesses) {
  Parts t = parts();
  declined(t, LinearGated<Silu>{t.x, t.gate, t.other}, "another weight");
  declined(t, LinearGated<Silu>{t.x, t.up, t.gate}, "gate and up exchanged");
  declined(t, LinearGated<Gelu>{t.x, t.gate, t.up}, "another activation");
  declined(t, LinearActivation<Silu>{t.x, t.gate, {}}, "a part of it");
  declined(t, LinearAdd{t.g, t.x, t.up, {}}, "another op");
  declined(t, LinearGated<Silu>{t.g, t.gate, t.up}, "operands that do not fit");
  declined(t, Add{t.g, t.u}, "no fused op at all");
  Program after = fuse_one(t.p, guess(t, LinearGated<Silu>{t.x, t.gate, t.up}, {t.y, t.u}));
  EXPECT_EQ(after.text(), t.p.text()) << "more results than the op has";
  after = fuse_one(t.p, guess(t, LinearGated<Silu>{t.x, t.gate, t.up}, {t.g}));
  EXPECT_EQ(after.text(), t.p.text()) << "the wrong result";
}

TEST(Fusion, DeclinesWhereAnInnerValueIsWanted) {
  Parts t = parts(true);
  declined(t, LinearGated<Silu>{t.x, t.gate, t.up}, "u is an output");
}

TEST(Fusion, DeclinesAnotherAttribute) {
  Builder b("norm", DType::bf16);
  Expr tokens = b.tokens(), table = b.weight("table", {9, 32});
  Expr x = embedding(tokens, table), w = b.weight("w", {32});
  Expr h = rms_norm(x, w, 1e-5f);
  Expr y = quantize(h, DType::bf16);
  Parts t{.x = x, .y = y};
  t.p = b.finish("y", y);
  declined(t, RmsNormQuantize{x, w, 1.0000001e-5f, DType::bf16}, "an epsilon that differs in its last bit");
  declined(t, RmsNormQuantize{x, w, 1e-5f, DType::q8}, "another type");
  EXPECT_EQ(fuse_one(t.p, guess(t, RmsNormQuantize{x, w, 1e-5f, DType::bf16}, {y})).nodes.size(), 2u);
}

}  // namespace
}  // namespace ridgeline::test
