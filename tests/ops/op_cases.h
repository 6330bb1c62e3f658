// One small program per op and combination of types: what the tests of costs and of fused ops walk. An op of AllOps without a
// case here fails AllOpsHaveACase.
#pragma once
#include "ops/ops.h"

namespace ridgeline::test {

struct OpCase {
  Program program;  // named after the op and what is special about it
  int head_dim = 8;
};

// Declares what one op needs.
class Bench {
 public:
  explicit Bench(std::string name) { p_.name = std::move(name); }
  Expr x(const std::string& name, int64_t cols, DType t = DType::f32, Dim rows = Symbol::tokens) {
    return {&p_, p_.declare(name, {t, {std::move(rows), Dim(cols)}}, Program::Origin::input)};
  }
  Expr w(const std::string& name, int64_t rows, int64_t cols, DType t = DType::bf16) {
    return {&p_, p_.declare(name, {t, {Dim(rows), Dim(cols)}, Role::weight}, Program::Origin::weight)};
  }
  Expr vec(const std::string& name, int64_t n) {
    return {&p_, p_.declare(name, {DType::f32, {Dim(n)}, Role::weight}, Program::Origin::weight)};
  }
  Expr index(const std::string& name) {
    Shape shape = {name == "slots" ? Symbol::keys : name == "logit_rows" ? Symbol::logit_rows : Symbol::tokens};
    if (name == "sequences") shape = {Symbol::sequences, Dim(2)};
    Value found = p_.find(name);
    return {&p_, found ? found : p_.declare(name, {DType::i32, shape, Role::index}, Program::Origin::input)};
  }
  Expr state(const std::string& name, int64_t cols, DType t, Symbol::Kind rows) {
    Expr s{&p_, p_.declare(name, {t, {Symbol{rows}, Dim(cols)}, Role::kv}, Program::Origin::state)};
    if (rows == Symbol::keys) p_.outputs.push_back({name, s}), p_.facts.insert("cached");  // read, not consumed
    return s;
  }
  OpCase done(const Op& op, int head_dim = 8) {
    if (!op.consumed().empty()) p_.facts.insert("cached");
    for (Value v : p_.add(op)) p_.outputs.push_back({"y" + std::to_string(p_.outputs.size()), v});
    verify(p_);
    return {std::move(p_), head_dim};
  }

 private:
  Program p_;
};

// The types a matrix product takes: of its input, of its weight.
inline constexpr std::pair<DType, DType> matmul_types[] = {
    {DType::f32, DType::f32}, {DType::f32, DType::f16}, {DType::f32, DType::bf16}, {DType::bf16, DType::bf16},
    {DType::q8, DType::q8_0}, {DType::q8, DType::q4_0}, {DType::q8, DType::q4_1},  {DType::q8, DType::q5_0},
    {DType::q8, DType::q5_1}, {DType::q8, DType::q2_K}, {DType::q8, DType::q3_K},  {DType::q8, DType::q4_K},
    {DType::q8, DType::q5_K}, {DType::q8, DType::q6_K}, {DType::f32, DType::q4_0}};

inline void linear_cases(std::vector<OpCase>& cases) {
  for (auto [a, w] : matmul_types) {
    std::string types = fmt::format(" {} x {}", name_of(a), name_of(w));
    int64_t block = row_of(w).block;
    for (int64_t in : {int64_t{block == 256 ? 512 : 96},
                       is_grouped(w) ? block : int64_t{37}}) {  // and a last record that is not full
      for (bool bias : {false, true}) {
        std::string name = fmt::format("{} in={}{}", types, in, bias ? " bias" : "");
        Bench b("linear" + name);
        Expr x = b.x("x", in, a), m = b.w("w", 35, in, w), c = bias ? b.vec("b", 35) : Expr{};
        cases.push_back(b.done(Linear{x, m, c}));
        Bench d("linear_add" + name);
        Expr r = d.x("r", 35);
        x = d.x("x", in, a), m = d.w("w", 35, in, w), c = bias ? d.vec("b", 35) : Expr{};
        cases.push_back(d.done(LinearAdd{r, x, m, c}));
        Bench s("linear_silu" + name);
        x = s.x("x", in, a), m = s.w("w", 35, in, w), c = bias ? s.vec("b", 35) : Expr{};
        cases.push_back(s.done(LinearActivation<Silu>{x, m, c}));
        Bench g("linear_gelu" + name);
        x = g.x("x", in, a), m = g.w("w", 35, in, w), c = bias ? g.vec("b", 35) : Expr{};
        cases.push_back(g.done(LinearActivation<Gelu>{x, m, c}));
        Bench l("linears" + name);
        x = l.x("x", in, a);
        Linears all{x, {l.w("q", 35, in, w), l.w("k", 6, in, w), l.w("v", 64, in, w)}, {}};
        if (bias) all.biases = {l.vec("qb", 35), l.vec("kb", 6), l.vec("vb", 64)};
        cases.push_back(l.done(all));
      }
      Bench u("linear_silu_mul" + types);
      Expr x = u.x("x", in, a), gate = u.w("gate", 35, in, w), up = u.w("up", 35, in, w);
      cases.push_back(u.done(LinearGated<Silu>{x, gate, up}));
      Bench v("linear_gelu_mul" + types);
      x = v.x("x", in, a), gate = v.w("gate", 35, in, w), up = v.w("up", 35, in, w);
      cases.push_back(v.done(LinearGated<Gelu>{x, gate, up}));
    }
  }
}

inline void elementwise_cases(std::vector<OpCase>& cases) {
  auto two = [&](const char* name, auto make) {
    Bench b(name);
    Expr p = b.x("p", 37), q = b.x("q", 37);
    cases.push_back(b.done(make(p, q)));
  };
  two("add", [](Value p, Value q) { return Add{p, q}; });
  two("add x x", [](Value p, Value) { return Add{p, p}; });
  two("silu_mul", [](Value p, Value q) { return Gated<Silu>{p, q}; });
  two("gelu_mul", [](Value p, Value q) { return Gated<Gelu>{p, q}; });
  two("silu", [](Value p, Value) { return Activation<Silu>{p}; });
  two("scale", [](Value p, Value) { return Scale{p, 25.298221f}; });
  two("soft_cap", [](Value p, Value) { return SoftCapped{p, 1.5f}; });
  two("gelu", [](Value p, Value) { return Activation<Gelu>{p}; });
  two("gelu_erf", [](Value p, Value) { return Activation<GeluErf>{p}; });
  two("gelu_erf_mul", [](Value p, Value q) { return Gated<GeluErf>{p, q}; });
  two("relu", [](Value p, Value) { return Activation<Relu>{p}; });
  two("relu_mul", [](Value p, Value q) { return Gated<Relu>{p, q}; });
  two("squared_relu", [](Value p, Value) { return Activation<SquaredRelu>{p}; });
  for (DType to : {DType::bf16, DType::q8}) {
    Bench b(fmt::format("quantize {}", name_of(to)));
    Expr x = b.x("x", 96);
    cases.push_back(b.done(Quantize{x, to}));
    for (int64_t groups : {1, 3}) {
      Bench r(fmt::format("rms_norm_quantize {} groups={}", name_of(to), groups));
      x = r.x("x", 96);
      Expr w = r.vec("w", 96 / groups);
      cases.push_back(r.done(RmsNormQuantize{x, w, 1e-5f, to}));
    }
    Bench l(fmt::format("layer_norm_quantize {}", name_of(to)));
    x = l.x("x", 96);
    Expr w = l.vec("w", 96), c = l.vec("b", 96);
    cases.push_back(l.done(LayerNormQuantize{x, w, c, 1e-5f, to}));
  }
  for (int64_t groups : {1, 3}) {
    Bench b(fmt::format("rms_norm groups={}", groups));
    Expr x = b.x("x", 111), w = b.vec("w", 111 / groups);
    cases.push_back(b.done(RmsNorm{x, w, 1e-5f}));
  }
  for (int vectors : {2, 1, 0}) {
    Bench l(fmt::format("layer_norm with {} vectors", vectors));
    Expr x = l.x("x", 37);
    Value w = vectors > 0 ? l.vec("w", 37) : Value{}, c = vectors > 1 ? l.vec("b", 37) : Value{};
    cases.push_back(l.done(LayerNorm{x, w, c, 1e-5f}));
  }
}

inline void row_cases(std::vector<OpCase>& cases) {
  for (DType t : stored_types) {
    Bench b(fmt::format("select_rows of weight {}", name_of(t)));
    Expr table = b.w("table", 700, std::max<int64_t>(64, row_of(t).block), t), tokens = b.index("tokens");
    cases.push_back(b.done(SelectRows{table, tokens}));
  }
  for (DType t : {DType::f32, DType::bf16}) {
    Bench b(fmt::format("select_rows of activation {}", name_of(t)));
    Expr x = b.x("x", 64, t), rows = b.index("logit_rows");
    cases.push_back(b.done(SelectRows{x, rows}));
  }
  Bench b("rotations");
  Expr positions = b.index("positions");
  cases.push_back(b.done(Rotations{positions, RopeFrequencies(8, 10000, {1, 2, 4, 8})}));
  for (int turned : {8, 6}) {
    Bench r(fmt::format("rope of {} in 8", turned));
    Expr x = r.x("x", 24), turns = r.x("turns", turned);
    cases.push_back(r.done(Rope{x, turns, 8}));
  }
}

inline void cache_cases(std::vector<OpCase>& cases) {
  for (DType t : {DType::f32, DType::bf16})
    for (const char* cache : {"k_cache", "v_cache"}) {
      Bench b(fmt::format("append {} {}", cache, name_of(t)));
      Expr c = b.state(cache, 24, t, Symbol::cached), x = b.x("x", 24), sequences = b.index("sequences"),
           slots = b.index("slots");
      cases.push_back(b.done(Append{{c}, x, sequences, slots}));
      Bench r(fmt::format("rope_append {} {}", cache, name_of(t)));
      c = r.state(cache, 24, t, Symbol::cached), x = r.x("x", 24);
      Expr turns = r.x("turns", 8);
      sequences = r.index("sequences"), slots = r.index("slots");
      cases.push_back(r.done(RopeAppend{{c}, x, turns, sequences, slots, 8}));
    }
}

// heads: of q; kv_heads divides it: MHA, GQA, MQA.
inline void attention_cases(std::vector<OpCase>& cases) {
  struct Heads {
    int q, kv, dim;
  };
  for (DType t : {DType::f32, DType::bf16})
    for (int window : {0, 5, 40})
      for (auto [heads, kv_heads, dim] : {Heads{3, 3, 8}, Heads{4, 2, 40}, Heads{3, 1, 8}})
        for (bool cached : {false, true}) {
          std::string name =
              fmt::format(" {} window={} heads={}/{}{}", name_of(t), window, heads, kv_heads, cached ? " cached" : "");
          auto keys = [&](Bench& b, const char* called) {
            return cached ? b.state(called, kv_heads * dim, t, Symbol::keys) : b.x(called, kv_heads * dim);
          };
          Count pairs = Symbol{Symbol::pairs, window};
          {
            Bench b("attention" + name);
            Expr q = b.x("q", heads * dim), k = keys(b, "k_cache"), v = keys(b, "v_cache"), s = b.index("sequences");
            Expr slots = cached ? b.index("slots") : Expr{};
            cases.push_back(b.done(Attention{q, k, v, s, slots, dim, window, 0.3f, t, {window == 5 ? 2.0f : 0}}, dim));
          }
          {
            Bench b("pair_dot" + name);
            Expr q = b.x("q", heads * dim), k = keys(b, "k_cache"), s = b.index("sequences"),
                 slots = cached ? b.index("slots") : Expr{};
            cases.push_back(b.done(PairDot{q, k, s, slots, dim, window, 0.3f, t, {window == 5 ? 2.0f : 0}}, dim));
          }
          {
            Bench b("pair_mix" + name);
            Expr p = b.x("p", heads, DType::f32, pairs), v = keys(b, "v_cache"), s = b.index("sequences"),
                 slots = cached ? b.index("slots") : Expr{};
            cases.push_back(b.done(PairMix{p, v, s, slots, dim, window, t}, dim));
          }
          if (cached || t == DType::f32) continue;
          Bench b("softmax" + name);
          Expr scores = b.x("scores", heads, DType::f32, pairs), s = b.index("sequences");
          cases.push_back(b.done(PairSoftmax{scores, s, window}));
        }
}

inline std::vector<OpCase> op_cases() {
  std::vector<OpCase> cases;
  linear_cases(cases);
  elementwise_cases(cases);
  row_cases(cases);
  cache_cases(cases);
  attention_cases(cases);
  return cases;
}

// Batches for a program: where it has no cache, every sequence begins at position 0.
inline std::vector<BatchShape> batches_for(const Program& p) {
  std::vector<BatchShape> batches;
  for (const char* text : {"1@3", "3@5,1@40,4,2@31", "1@600,2@511,7"}) {
    BatchShape batch = BatchShape::parse(text);
    if (!p.is_cached())
      for (auto& s : batch.sequences) s.fresh = std::min<int64_t>(s.fresh + s.cached, 45), s.cached = 0;
    batch.sequences[0].logit_rows = batch.sequences[0].fresh;
    batches.push_back(batch);
  }
  return batches;
}

}  // namespace ridgeline::test
