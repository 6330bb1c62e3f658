// Every cell that every usable kernel set declares, against the op's reference evaluation: bit for bit, over odd shapes, values of
// all kinds and teams of one to three.
#include <gtest/gtest.h>

#include <map>

#include "kernels/harness.h"
#include "ops/ops.h"

namespace ridgeline::test {
namespace {

struct Round {
  const char* batch;
  int64_t cols, out;  // cols: rounded up to whole blocks of the types
  int kv_heads, group, head_dim;
};
constexpr Round rounds[] = {
    {"1", 32, 1, 1, 1, 16},         {"1@37", 96, 33, 1, 3, 64},       {"2", 7, 31, 2, 1, 32},
    {"1@5,2@31", 50, 64, 1, 2, 48}, {"4@28", 64, 96, 2, 4, 16},       {"3@1,1@64,1", 100, 65, 3, 1, 32},
    {"6@32", 160, 95, 1, 1, 64},    {"7", 33, 130, 1, 5, 8},          {"8", 544, 40, 2, 2, 80},
    {"9@90", 47, 20, 1, 1, 18},     {"5@2,5@99", 192, 100, 1, 2, 64}, {"11@3", 256, 32, 1, 7, 32},
    {"12", 70, 70, 2, 3, 16},       {"13@13", 31, 47, 1, 1, 128},     {"14", 128, 257, 1, 1, 256},
    {"15@15", 288, 97, 2, 2, 24},   {"16", 40, 192, 1, 9, 16},        {"17@120", 320, 129, 1, 3, 32},
    {"33@7", 72, 36, 2, 1, 64},     {"205", 96, 68, 1, 3, 16},
};

using Generator = void (*)(OneOp&, Signature, const Round&);
const Dim tokens = Symbol::tokens;

int64_t cols_of(DType t, const Round& r) {
  int64_t block = row_of(t).block;
  return (r.cols + block - 1) / block * block;
}
int64_t cols_of(Signature s, const Round& r) { return std::max(cols_of(s.input, r), cols_of(s.other, r)); }
// Every second round has a bias.
Value bias(OneOp& o, int64_t n, const Round& r) { return r.out % 2 ? o.vector(n) : Value{}; }

void linear_case(OneOp& o, Signature s, const Round& r) {
  Value x = o.activation(s.input, tokens, cols_of(s, r)), w = o.weight(s.other, r.out, cols_of(s, r));
  o.set(Linear{x, w, bias(o, r.out, r)});
}
void linears_case(OneOp& o, Signature s, const Round& r) {
  Linears op{o.activation(s.input, tokens, cols_of(s, r)), {}, {}};
  for (int64_t n : {r.out, int64_t{1}, r.out + 31}) {
    op.weights.push_back(o.weight(s.other, n, cols_of(s, r)));
    if (r.out % 2) op.biases.push_back(o.vector(n));
  }
  o.set(op);
}
void linear_add_case(OneOp& o, Signature s, const Round& r) {
  Value before = o.activation(DType::f32, tokens, r.out), x = o.activation(s.input, tokens, cols_of(s, r));
  Value w = o.weight(s.other, r.out, cols_of(s, r));
  o.set(LinearAdd{before, x, w, bias(o, r.out, r)});
}
template <class F>
void linear_activation_case(OneOp& o, Signature s, const Round& r) {
  Value x = o.activation(s.input, tokens, cols_of(s, r)), w = o.weight(s.other, r.out, cols_of(s, r));
  o.set(LinearActivation<F>{x, w, bias(o, r.out, r)});
}
template <class F>
void linear_gated_case(OneOp& o, Signature s, const Round& r) {
  Value x = o.activation(s.input, tokens, cols_of(s, r));
  Value gate = o.weight(s.other, r.out, cols_of(s, r)), up = o.weight(s.other, r.out, cols_of(s, r));
  o.set(LinearGated<F>{x, gate, up});
}

void add_case(OneOp& o, Signature, const Round& r) {
  Value a = o.activation(DType::f32, tokens, r.cols), b = o.activation(DType::f32, tokens, r.cols);
  o.set(Add{a, b});
}
void scale_case(OneOp& o, Signature, const Round& r) {
  o.set(Scale{o.activation(DType::f32, tokens, r.cols), 25.298221f});
}
void soft_cap_case(OneOp& o, Signature, const Round& r) {
  o.set(SoftCapped{o.activation(DType::f32, tokens, r.cols), 3});
}
template <class F>
void activation_case(OneOp& o, Signature, const Round& r) {
  o.set(Activation<F>{o.activation(DType::f32, tokens, r.cols)});
}
template <class F>
void gated_case(OneOp& o, Signature, const Round& r) {
  Value gate = o.activation(DType::f32, tokens, r.cols), up = o.activation(DType::f32, tokens, r.cols);
  o.set(Gated<F>{gate, up});
}
void rms_norm_case(OneOp& o, Signature, const Round& r) {  // with several groups a row: QK-norm
  Value x = o.activation(DType::f32, tokens, r.cols * r.kv_heads);
  o.set(RmsNorm{x, o.vector(r.cols), 1e-5f});
}
void layer_norm_case(OneOp& o, Signature, const Round& r) {
  Value x = o.activation(DType::f32, tokens, r.cols), w = r.out % 5 ? o.vector(r.cols) : Value{};
  o.set(LayerNorm{x, w, w && r.out % 3 ? o.vector(r.cols) : Value{}, 1e-5f});
}
void quantize_case(OneOp& o, Signature s, const Round& r) {
  o.set(Quantize{o.activation(DType::f32, tokens, cols_of(s, r)), s.other});
}
void rms_norm_quantize_case(OneOp& o, Signature s, const Round& r) {
  Value x = o.activation(DType::f32, tokens, cols_of(s, r) * r.kv_heads);
  o.set(RmsNormQuantize{x, o.vector(cols_of(s, r)), 1e-5f, s.other});
}
void layer_norm_quantize_case(OneOp& o, Signature s, const Round& r) {
  Value x = o.activation(DType::f32, tokens, cols_of(s, r)), w = o.vector(cols_of(s, r));
  o.set(LayerNormQuantize{x, w, r.out % 3 ? o.vector(cols_of(s, r)) : Value{}, 1e-5f, s.other});
}

void rotations_case(OneOp& o, Signature, const Round& r) {
  o.set(Rotations{o.positions(), RopeFrequencies(r.head_dim, 10000)});
}
// Elements of a head that turn: all, or about a third.
int turned_of(const Round& r) { return r.out % 2 ? r.head_dim : std::max(2, r.head_dim / 3 / 2 * 2); }
void rope_case(OneOp& o, Signature, const Round& r) {
  Value x = o.activation(DType::f32, tokens, r.head_dim * r.kv_heads * r.group);
  o.set(Rope{x, o.activation(DType::f32, tokens, turned_of(r)), r.head_dim});
}
void append_case(OneOp& o, Signature s, const Round& r) {
  Layout half = r.out % 2 ? Layout::keys : Layout::values;
  Value cache = o.cache(s.other, half, r.kv_heads, r.head_dim, true),
        x = o.activation(DType::f32, tokens, r.kv_heads * r.head_dim);
  Value sequences = o.sequences();
  o.set(Append{{cache}, x, sequences, o.slots()});
}
void rope_append_case(OneOp& o, Signature s, const Round& r) {
  Value cache = o.cache(s.other, Layout::keys, r.kv_heads, r.head_dim, true);
  Value x = o.activation(DType::f32, tokens, r.kv_heads * r.head_dim),
        turns = o.activation(DType::f32, tokens, turned_of(r));
  Value sequences = o.sequences();
  o.set(RopeAppend{{cache}, x, turns, sequences, o.slots(), r.head_dim});
}
void select_rows_case(OneOp& o, Signature s, const Round& r) {
  int64_t cols = cols_of(s, r), rows = r.out;
  // Weights in panels, row-major weights, and activations (the rows whose logits are wanted).
  Value from = is_grouped(s.other) || r.out % 2           ? o.weight(s.other, rows, cols)
               : s.other != DType::f32 || r.kv_heads == 1 ? o.table(s.other, rows, cols)
                                                          : o.activation(DType::f32, Dim(rows), cols);
  o.set(SelectRows{from, o.index(tokens, rows)});
}

void attention_case(OneOp& o, Signature s, const Round& r) {
  int kv_cols = r.kv_heads * r.head_dim, window = r.out % 3 == 0 ? static_cast<int>(1 + r.out % 40) : 0;
  Value q = o.activation(DType::f32, tokens, kv_cols * r.group);
  Value k = o.cache(s.other, Layout::keys, r.kv_heads, r.head_dim),
        v = o.cache(s.other, Layout::values, r.kv_heads, r.head_dim);
  Value sequences = o.sequences();
  o.set(Attention{q, k, v, sequences, o.slots(), r.head_dim, window, 0.3f, s.other, {r.out % 2 ? 3.0f : 0}});
}

const std::map<std::string_view, Generator> generators = {
    {"linear", linear_case},
    {"linears", linears_case},
    {"linear_add", linear_add_case},
    {"linear_silu", linear_activation_case<Silu>},
    {"linear_gelu", linear_activation_case<Gelu>},
    {"linear_silu_mul", linear_gated_case<Silu>},
    {"linear_gelu_mul", linear_gated_case<Gelu>},
    {"add", add_case},
    {"scale", scale_case},
    {"soft_cap", soft_cap_case},
    {"silu", activation_case<Silu>},
    {"gelu", activation_case<Gelu>},
    {"gelu_erf", activation_case<GeluErf>},
    {"relu", activation_case<Relu>},
    {"squared_relu", activation_case<SquaredRelu>},
    {"silu_mul", gated_case<Silu>},
    {"gelu_mul", gated_case<Gelu>},
    {"gelu_erf_mul", gated_case<GeluErf>},
    {"relu_mul", gated_case<Relu>},
    {"rms_norm", rms_norm_case},
    {"layer_norm", layer_norm_case},
    {"quantize", quantize_case},
    {"rms_norm_quantize", rms_norm_quantize_case},
    {"layer_norm_quantize", layer_norm_quantize_case},
    {"rotations", rotations_case},
    {"rope", rope_case},
    {"append", append_case},
    {"rope_append", rope_append_case},
    {"select_rows", select_rows_case},
    {"attention", attention_case},
};

struct Declared {
  std::string op;
  Signature signature;
  std::string name() const { return fmt::format("{}_{}_{}", op, name_of(signature.input), name_of(signature.other)); }
};
void PrintTo(const Declared& d, std::ostream* out) { *out << d.name(); }

// Every (op, signature) that some usable set declares, once.
std::vector<Declared> declared() {
  std::map<std::string, Declared> all;
  for (const KernelSet* set : usable_kernel_sets())
    for (const Cell& c : set->cells()) {
      Declared d{std::string(c.op), c.signature};
      all[d.name()] = d;
    }
  std::vector<Declared> list;
  for (auto& [name, d] : all) list.push_back(d);
  return list;
}

class Cells : public testing::TestWithParam<Declared> {};

TEST_P(Cells, EqualTheReference) {
  const auto& [op, signature] = GetParam();
  ASSERT_TRUE(generators.contains(op)) << "no generator of cases for " << op;
  static Team teams[] = {Team(1), Team(2), Team(3)};
  uint32_t seed = 1;
  int compared = 0;
  for (const Round& round : rounds)
    for (Numbers numbers : all_numbers) {
      OneOp one(numbers, seed++, BatchShape::parse(round.batch));
      generators.at(op)(one, signature, round);
      ASSERT_EQ(one.signature(), signature) << "the case is one of " << one.signature().text();
      for (const KernelSet* set : usable_kernel_sets())
        if (const Cell* cell = set->find(op, signature))
          for (Team& team : teams) {
            ++compared;
            ASSERT_EQ(one.difference(*cell, team), "")
                << set->name << ", batch " << round.batch << ", numbers " << static_cast<int>(numbers);
          }
    }
  EXPECT_GE(compared, 3 * static_cast<int>(std::size(rounds)));
}

INSTANTIATE_TEST_SUITE_P(All, Cells, testing::ValuesIn(declared()), [](const auto& p) { return p.param.name(); });

TEST(KernelSets, DeclareSomethingAndResolveItThemselves) {
  for (const KernelSet* set : usable_kernel_sets()) {
    auto cells = set->cells();
    EXPECT_FALSE(cells.empty()) << set->name;
    EXPECT_EQ(usable_kernel_sets(set->name).front(), set);
    for (const Cell& cell : cells) {
      const Cell* found = set->find(cell.op, cell.signature);
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(found->run, cell.run) << set->name << " declares " << cell.op << " " << cell.signature.text()
                                      << " twice";
    }
  }
}

TEST(KernelSets, SayWhyTheyDoNotRun) {
  ASSERT_EQ(kernel_set_status().size(), kernel_sets().size());
  size_t usable = 0;
  for (const auto& [set, fault] : kernel_set_status()) {
    if (fault.empty()) ++usable;
    if (!fault.empty()) { EXPECT_THROW(usable_kernel_sets(set->name), Error); }
    EXPECT_TRUE(fault.empty() || !set->supported()) << set->name << ": " << fault;
  }
  EXPECT_EQ(usable_kernel_sets().size(), usable);
  EXPECT_TRUE(usable_kernel_sets("reference").empty());
}

TEST(KernelSets, AnUnknownNameIsAUsageError) {
  try {
    usable_kernel_sets("avx1024");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::usage);
    EXPECT_NE(std::string(e.what()).find("avx512, avx2, or reference"), std::string::npos) << e.what();
  }
}

TEST(KernelSets, TheSimplerSetsFollowTheOneAskedFor) {
  for (const KernelSet* set : usable_kernel_sets("avx2")) EXPECT_NE(set->name, "avx512");
}

// The harness itself: a kernel that is wrong in one bit of one element, on one worker of three, is noticed.
TEST(Harness, NoticesOneWrongBit) {
  OneOp one(Numbers::ordinary, 7, BatchShape::parse("9"));
  add_case(one, {DType::f32, DType::f32}, {"9", 20, 1, 1, 1, 1});
  Cell right{"add", {DType::f32, DType::f32}, [](const Op& op, const KernelMemory& m, Worker& w) {
               if (w.index() == 0) op.evaluate(m);
             }};
  Cell wrong = right;
  wrong.run = [](const Op& op, const KernelMemory& m, Worker& w) {
    if (w.index() == 0) op.evaluate(m);
    w.barrier();
    float& x = m.result_tensor().as<float>()[177];
    if (w.index() == 2) x = std::bit_cast<float>(std::bit_cast<uint32_t>(x) ^ 1);
  };
  Team two(2), three(3);
  EXPECT_EQ(one.difference(right, three), "");
  EXPECT_EQ(one.difference(wrong, two), "");
  EXPECT_NE(one.difference(wrong, three).find("element 177 (row 8, column 17)"), std::string::npos);
}

}  // namespace
}  // namespace ridgeline::test
