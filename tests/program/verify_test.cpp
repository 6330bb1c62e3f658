// The verifier refuses each kind of broken program, naming the rule.
#include <gtest/gtest.h>

#include "models/catalogue.h"
#include "ops/ops.h"
#include "passes/passes.h"

namespace ridgeline {
namespace {

// x, two additions, an append to a cache and its output: small, and right.
struct Small {
  Program p;
  Value x, cache, sequences, slots, sum, doubled, next;
  Small() {
    p.name = "small";
    x = p.declare("x", {DType::f32, {Symbol::tokens, Dim(4)}}, Program::Origin::input);
    sequences = p.declare("sequences", {DType::i32, {Symbol::sequences, Dim(2)}, Role::index}, Program::Origin::input);
    slots = p.declare("slots", {DType::i32, {Symbol::keys}, Role::index}, Program::Origin::input);
    cache = p.declare("k_cache", {DType::bf16, {Symbol::cached, Dim(4)}, Role::kv}, Program::Origin::state);
    sum = p.add(Add{x, x})[0];
    doubled = p.add(Add{sum, sum})[0];
    next = p.add(Append{{cache}, doubled, sequences, slots})[0];
    p.outputs = {{"y", doubled}, {"k_cache", next}};
  }
  Type& type(Value v) { return p.values[static_cast<size_t>(v.id)].type; }
};

void refused(const Program& p, std::string_view why) {
  try {
    verify(p);
    ADD_FAILURE() << "passed; expected: " << why;
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::internal);
    EXPECT_NE(std::string_view(e.what()).find(why), std::string_view::npos) << e.what();
  }
}

TEST(Verify, AcceptsWhatIsRight) {
  EXPECT_NO_THROW(verify(Small().p));
  for (const auto& entry : catalogue()) EXPECT_NO_THROW(verify(build("m", DType::bf16, entry.config))) << entry.name;
}

TEST(Verify, UseBeforeDefinition) {
  Small s;
  std::swap(s.p.nodes[0], s.p.nodes[1]);
  refused(s.p, "is used before it is defined");
}

TEST(Verify, DefinedTwice) {
  Small s;
  s.p.nodes[1].results = s.p.nodes[0].results;
  refused(s.p, "is defined twice");
}

TEST(Verify, OperandOfAnotherProgram) {
  Small s;
  s.p.nodes[1].op = Add{{99}, {99}};
  refused(s.p, "is not a value of this program");
}

TEST(Verify, OneNameTwice) {
  Small s;
  s.p.declare("x", s.type(s.x), Program::Origin::input);
  refused(s.p, "two values are called x");
}

TEST(Verify, StateConsumedTwice) {
  Small s;
  s.p.outputs.push_back({"again", s.p.add(Append{{s.cache}, s.x, s.sequences, s.slots})[0]});
  refused(s.p, "already made its next version");
}

TEST(Verify, StateReadAfterItsNextVersion) {
  Small s;
  s.p.add(SelectRows{s.cache, s.slots});
  refused(s.p, "already made its next version");
}

TEST(Verify, ConsumingWhatIsNoState) {
  Small s;
  s.type(s.cache).role = s.type(s.next).role = Role::activation;
  refused(s.p, "is not state");
}

TEST(Verify, TypesAreAsInferred) {
  Small s;
  s.type(s.sum).shape[1] = Dim(5);
  refused(s.p, "");
  Small t;
  t.type(t.sum).dtype = DType::bf16;
  refused(t.p, "recorded as bf16");
}

TEST(Verify, EveryResultIsRecorded) {
  Small s;
  s.p.nodes[0].results.push_back(s.doubled);
  EXPECT_THROW(verify(s.p), Error);
}

TEST(Verify, OutputsAreDefinedAndCurrent) {
  Small s;
  s.p.outputs.push_back({"z", {77}});
  refused(s.p, "output z is never defined");
  Small t;
  t.p.outputs.push_back({"old", t.cache});
  refused(t.p, "was consumed");
}

TEST(Verify, TheLastVersionOfAStateLeaves) {
  Small s;
  s.p.outputs.pop_back();
  refused(s.p, "the last version of state k_cache' is lost");
  Small unused;
  unused.p.declare("v_cache", unused.type(unused.cache), Program::Origin::state);
  refused(unused.p, "the last version of state v_cache is lost");
}

TEST(Infer, OpsRefuseOperandsThatDoNotFit) {
  Small s;
  auto weight = [&](const char* name, Shape shape, DType t) {
    return s.p.declare(name, {t, std::move(shape), Role::weight}, Program::Origin::weight);
  };
  Value w = weight("w", {Dim(3), Dim(5)}, DType::bf16), v = weight("v", {Dim(3)}, DType::f32),
        g = weight("g", {Dim(8), Dim(4)}, DType::q8_0);
  Value half = s.p.declare("half", {DType::q8, {Symbol::tokens, Dim(5)}}, Program::Origin::input);
  for (Op op :
       {Op(Linear{s.x, w, {}}), Op(Linear{half, w, {}}), Op(Linear{s.x, g, v}), Op(RmsNorm{s.x, v, 0}),
        Op(LayerNorm{s.x, v, v, 0}), Op(Add{s.x, half}), Op(Quantize{s.x, DType::q8}), Op(Quantize{s.x, DType::q4_0}),
        Op(Rope{s.x, half, 4}), Op(Rope{s.x, s.x, 3}), Op(SelectRows{s.x, s.x}),
        Op(Append{{s.x}, s.x, s.sequences, s.slots}), Op(Append{{s.cache}, half, s.sequences, s.slots}),
        Op(Gated<Silu>{s.x, half}), Op(Attention{s.x, half, half, s.sequences, {}, 4, 0, 1, DType::bf16}),
        Op(Attention{s.x, s.x, s.x, s.sequences, {}, 3, 0, 1, DType::bf16}),
        Op(Attention{s.x, s.x, s.x, s.sequences, s.slots, 4, 0, 1, DType::bf16}), Op(PairSoftmax{s.x, s.sequences, 0})})
    EXPECT_THROW(s.p.add(op), Error) << op.name();
}

}  // namespace
}  // namespace ridgeline
