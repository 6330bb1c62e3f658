// Fused ops: each stands for a few ops (expand) and gives their bits exactly, inner values rounded where they would have been
// stored. Only its bytes and its kernel are new. match() guesses where one fits; the fuse pass checks the guess against expand().
#pragma once
#include <optional>

#include "ops/append.h"
#include "ops/elementwise.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/quantize.h"
#include "ops/rope.h"

namespace ridgeline {

// The op to put in, and the values it now makes.
struct Found {
  Op op;
  Values results;
};

// Several linears of one input, their weights of one type: x is read once.
struct Linears {
  Value x;
  Values weights, biases;  // no biases, or one for each weight
  static constexpr auto name = "linears";
  static void members(auto& op, auto&& f) { f("x", op.x), f("weights", op.weights), f("biases", op.biases); }

  static std::optional<Found> match(const Program& p, const Uses& uses, const Node& n) {
    auto* first = n.op.as<Linear>();
    if (!first) return {};
    Linears f{first->x, {}, {}};
    Values results;
    for (const Node* user : uses.users(first->x))
      if (auto* l = user->op.as<Linear>(); l && bool(l->bias) == bool(first->bias) && user->layer == n.layer &&
                                           p.type(l->weight).dtype == p.type(first->weight).dtype) {
        f.weights.push_back(l->weight);
        if (l->bias) f.biases.push_back(l->bias);
        results.push_back(user->results[0]);
      }
    if (results.size() < 2 || results[0] != n.results[0]) return {};
    return Found{f, results};
  }
  Linear at(size_t i) const { return {x, weights[i], biases.empty() ? Value{} : biases[i]}; }
  std::vector<Expr> expand(const Scope& s) const {
    std::vector<Expr> ys;
    for (size_t i = 0; i < weights.size(); ++i) ys.push_back(linear(s(x), s(weights[i]), s(at(i).bias)));
    return ys;
  }
  std::vector<Type> infer(const Types& t) const {
    std::vector<Type> ys;
    for (size_t i = 0; i < weights.size(); ++i) ys.push_back(at(i).infer(t)[0]);
    return ys;
  }
  Cost cost(const Types& t) const {
    Count matmul, elementwise;
    for (size_t i = 0; i < weights.size(); ++i) {
      matmul += 2 * t[x].rows() * t[weights[i]].elements();
      if (!biases.empty()) elementwise += t.result(static_cast<int>(i)).elements();
    }
    return t.streaming(matmul, elementwise);
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    for (size_t i = 0; i < weights.size(); ++i) {
      auto in = m[x], w = m[weights[i]], b = m[at(i).bias];
      auto y = m.result(static_cast<int>(i));
      for (int64_t n = 0; n < y.cols(); ++n)
        for (int64_t r = 0; r < y.rows(); ++r) y.store(r, n, Linear::element(in, r, w, b, n));
    }
  }
};

// y = f(x Wgate^T) * (x Wup^T): gate and up are never stored.
template <class F>
struct LinearGated {
  Value x, gate, up;
  static constexpr auto name = F::linear_mul, called = "g";
  static void members(auto& op, auto&& f) { f("x", op.x), f("gate", op.gate), f("up", op.up); }

  static std::optional<Found> match(const Program& p, const Uses& uses, const Node& n) {
    auto* product = n.op.as<Gated<F>>();
    if (!product) return {};
    auto *g = uses.made_by<Linear>(product->gate), *u = uses.made_by<Linear>(product->up);
    if (!g || !u || g->x != u->x || g->bias || u->bias || p.type(g->weight).dtype != p.type(u->weight).dtype) return {};
    return Found{LinearGated{g->x, g->weight, u->weight}, n.results};
  }
  std::vector<Expr> expand(const Scope& s) const {
    Expr g = linear(s(x), s(gate));
    Expr u = linear(s(x), s(up));
    return {emit(g, Gated<F>{g, u})};
  }
  std::vector<Type> infer(const Types& t) const {
    fits(t[gate].shape == t[up].shape, name, "gate {} and up {} differ", t[gate].text(), t[up].text());
    return Linear{x, gate, {}}.infer(t);
  }
  Cost cost(const Types& t) const {
    return t.streaming(4 * t[x].rows() * t[gate].elements(), (F::flops + 1) * t.result().elements());
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[x], g = m[gate], u = m[up];
    auto y = m.result();
    for (int64_t n = 0; n < y.cols(); ++n)
      for (int64_t r = 0; r < y.rows(); ++r) y.store(r, n, F::value(dot(in, r, g, n)) * dot(in, r, u, n));
  }
};

// y = f(x W^T + bias)
template <class F>
struct LinearActivation {
  Value x, weight, bias;
  static constexpr auto name = F::linear, called = "g";
  static void members(auto& op, auto&& f) { f("x", op.x), f("weight", op.weight), f("bias", op.bias); }

  static std::optional<Found> match(const Program&, const Uses& uses, const Node& n) {
    auto* act = n.op.as<Activation<F>>();
    auto* l = act ? uses.made_by<Linear>(act->x) : nullptr;
    if (!l) return {};
    return Found{LinearActivation{l->x, l->weight, l->bias}, n.results};
  }
  std::vector<Expr> expand(const Scope& s) const {
    Expr y = linear(s(x), s(weight), s(bias));
    return {emit(y, Activation<F>{y})};
  }
  std::vector<Type> infer(const Types& t) const { return Linear{x, weight, bias}.infer(t); }
  Cost cost(const Types& t) const {
    return t.streaming(2 * t[x].rows() * t[weight].elements(), (F::flops + (bias ? 1 : 0)) * t.result().elements());
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[x], w = m[weight], b = m[bias];
    auto y = m.result();
    for (int64_t n = 0; n < y.cols(); ++n)
      for (int64_t r = 0; r < y.rows(); ++r) y.store(r, n, F::value(Linear::element(in, r, w, b, n)));
  }
};

// y = residual + x W^T (+ bias)
struct LinearAdd {
  Value residual, x, weight, bias;
  static constexpr auto name = "linear_add", notation = "$0 + linear($*)";
  static constexpr bool keeps_name = true;
  static void members(auto& op, auto&& f) {
    f("residual", op.residual), f("x", op.x), f("weight", op.weight), f("bias", op.bias);
  }

  static std::optional<Found> match(const Program&, const Uses& uses, const Node& n) {
    auto* sum = n.op.as<Add>();
    auto* l = sum ? uses.made_by<Linear>(sum->b) : nullptr;
    if (!l) return {};
    return Found{LinearAdd{sum->a, l->x, l->weight, l->bias}, n.results};
  }
  std::vector<Expr> expand(const Scope& s) const {
    Expr y = linear(s(x), s(weight), s(bias));
    return {s(residual) + y};
  }
  std::vector<Type> infer(const Types& t) const { return Linear{x, weight, bias}.infer(t); }
  Signature signature(const Types& t) const { return {t[x].dtype, t[weight].dtype}; }
  Cost cost(const Types& t) const {
    return t.streaming(2 * t[x].rows() * t[weight].elements(), (bias ? 2 : 1) * t.result().elements());
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto before = m[residual], in = m[x], w = m[weight], b = m[bias];
    auto y = m.result();
    for (int64_t n = 0; n < y.cols(); ++n)
      for (int64_t r = 0; r < y.rows(); ++r) y.store(r, n, before(r, n) + Linear::element(in, r, w, b, n));
  }
};

// y = quantize(rms_norm(x))
struct RmsNormQuantize {
  Value x, weight;
  float eps;
  DType to;
  static constexpr auto name = "rms_norm_quantize", called = "h";
  static void members(auto& op, auto&& f) { f("x", op.x), f("weight", op.weight), f("eps", op.eps), f("to", op.to); }

  static std::optional<Found> match(const Program&, const Uses& uses, const Node& n) {
    auto* q = n.op.as<Quantize>();
    auto* norm = q ? uses.made_by<RmsNorm>(q->x) : nullptr;
    if (!norm) return {};
    return Found{RmsNormQuantize{norm->x, norm->weight, norm->eps, q->to}, n.results};
  }
  RmsNorm norm() const { return {x, weight, eps}; }
  std::vector<Expr> expand(const Scope& s) const {
    Expr y = rms_norm(s(x), s(weight), eps);
    return {quantize(y, to)};
  }
  std::vector<Type> infer(const Types& t) const { return {{to, norm().infer(t)[0].shape}}; }
  Signature signature(const Types& t) const { return {t[x].dtype, to}; }
  Cost cost(const Types& t) const {
    return t.streaming(0, norm().cost(t).elementwise + Quantize{x, to}.cost(t).elementwise);
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[x], w = m[weight];
    auto y = m.result();
    std::vector<S> whole(static_cast<size_t>(in.cols()));
    for (int64_t r = 0; r < in.rows(); ++r) {
      for (int64_t g = 0; g < in.cols(); g += w.cols())
        norm().row(in, w, r, g, [&](int64_t i, S v) { whole[static_cast<size_t>(g + i)] = v; });
      Quantize::store_row(y, r, to, whole);
    }
  }
};

// y = quantize(layer_norm(x))
struct LayerNormQuantize {
  Value x, weight, bias;
  float eps;
  DType to;
  static constexpr auto name = "layer_norm_quantize", called = "h";
  static void members(auto& op, auto&& f) {
    f("x", op.x), f("weight", op.weight), f("bias", op.bias), f("eps", op.eps), f("to", op.to);
  }

  static std::optional<Found> match(const Program&, const Uses& uses, const Node& n) {
    auto* q = n.op.as<Quantize>();
    auto* norm = q ? uses.made_by<LayerNorm>(q->x) : nullptr;
    if (!norm) return {};
    return Found{LayerNormQuantize{norm->x, norm->weight, norm->bias, norm->eps, q->to}, n.results};
  }
  LayerNorm norm() const { return {x, weight, bias, eps}; }
  std::vector<Expr> expand(const Scope& s) const {
    Expr y = emit(s(x), LayerNorm{s(x), s(weight), s(bias), eps});
    return {quantize(y, to)};
  }
  std::vector<Type> infer(const Types& t) const { return {{to, norm().infer(t)[0].shape}}; }
  Signature signature(const Types& t) const { return {t[x].dtype, to}; }
  Cost cost(const Types& t) const {
    return t.streaming(0, norm().cost(t).elementwise + Quantize{x, to}.cost(t).elementwise);
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[x], w = m[weight], b = m[bias];
    auto y = m.result();
    std::vector<S> whole(static_cast<size_t>(in.cols()));
    for (int64_t r = 0; r < in.rows(); ++r) {
      norm().row(in, w, b, r, [&](int64_t i, S v) { whole[static_cast<size_t>(i)] = v; });
      Quantize::store_row(y, r, to, whole);
    }
  }
};

// cache' = append(cache, rope(x)): the turned keys are never stored as activations.
struct RopeAppend {
  State cache;
  Value x, turns, sequences, slots;
  int head_dim;
  static constexpr auto name = "rope_append";
  static constexpr bool keeps_name = true;
  static void members(auto& op, auto&& f) {
    f("cache", op.cache), f("x", op.x), f("turns", op.turns), f("sequences", op.sequences), f("slots", op.slots);
    f("head_dim", op.head_dim);
  }

  static std::optional<Found> match(const Program&, const Uses& uses, const Node& n) {
    auto* a = n.op.as<Append>();
    auto* r = a ? uses.made_by<Rope>(a->x) : nullptr;
    if (!r) return {};
    return Found{RopeAppend{a->cache, r->x, r->turns, a->sequences, a->slots, r->head_dim}, n.results};
  }
  Append appended() const { return {cache, x, sequences, slots}; }
  Rope rope() const { return {x, turns, head_dim}; }
  std::vector<Expr> expand(const Scope& s) const {
    Expr k = ridgeline::rope(s(x), s(turns), head_dim);
    return {append(s(cache), k, s(sequences), s(slots))};
  }
  std::vector<Type> infer(const Types& t) const {
    rope().infer(t);
    return appended().infer(t);
  }
  Cost cost(const Types& t) const {
    Cost c = appended().cost(t);
    c.elementwise = rope().flops(t);
    c.reads.push_back(t.all(turns));
    return c;
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[x], turn = m[turns], slot = m[slots];
    auto y = m.result();
    for (const Query& q : queries(m[sequences], 0)) {
      int64_t to = slot.index(q.keys + q.last);
      rope().row(in, turn, q.row, [&](int64_t c, S v) { y.store(to, c, v); });
    }
  }
};

}  // namespace ridgeline
