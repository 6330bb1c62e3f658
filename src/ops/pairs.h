// Attention in textbook form: scores, softmax and mix over the visible (query, key) pairs. Scores live on [pairs, heads], so
// there is no mask op and nothing invisible is computed. This is what "naive" runs; models name the one op of attention.h.
#pragma once
#include "ops/ragged.h"
#include "ops/soft_cap.h"
#include "program/program.h"

namespace ridgeline {

// Elements of `keys` that the step's queries see.
inline Touch visible(const Types& t, Value keys, int window) {
  return {keys, Count(Symbol{Symbol::keys, window}) * t[keys].cols()};
}

// What every op over pairs reads of the batch and its keys.
inline std::vector<Touch> pair_reads(const Types& t, Value sequences, Value slots, int window) {
  std::vector<Touch> reads = {t.all(sequences)};
  if (slots) reads.push_back({slots, Symbol{Symbol::keys, window}});
  return reads;
}

// The dot product of head h of row t with head kv of key row j, by the rule of linear's floating-point weights; operands
// rounded to `type` first.
template <class S>
S head_dot(const In<S>& q, int64_t t, int64_t h, const In<S>& k, int64_t j, int64_t kv, int head_dim, DType type) {
  S acc(0);
  for (int64_t d = 0; d < head_dim; d += 32) {
    S even(0), odd(0);
    for (int64_t i = d; i < std::min<int64_t>(d + 32, head_dim); i += 2) {
      even = mul_add(round_as(type, q(t, h * head_dim + i)), round_as(type, k(j, kv * head_dim + i)), even);
      odd = mul_add(round_as(type, q(t, h * head_dim + i + 1)), round_as(type, k(j, kv * head_dim + i + 1)), odd);
    }
    acc = fold<S>([&] { return acc + (even + odd); });
  }
  return acc;
}

// s[(t, j), h] = scale * q[t, h] . k[j, h / group], within `cap` where there is one
//             q: [tokens, heads * head_dim]   keys: [keys, kv_heads * head_dim]   s: [pairs, heads]
struct PairDot {
  Value q, keys, sequences, slots;
  int head_dim, window;
  float scale;
  DType type;  // q and keys are rounded to it
  SoftCap cap = {};
  static constexpr auto name = "pair_dot", called = "scores";
  static void members(auto& op, auto&& f) {
    f("q", op.q), f("keys", op.keys), f("sequences", op.sequences), f("slots", op.slots);
    f("head_dim", op.head_dim), f("window", op.window), f("scale", op.scale), f("type", op.type), f("cap", op.cap);
  }
  ScaledAndCapped score() const { return {scale, cap}; }
  std::vector<Type> infer(const Types& t) const {
    fits(t[q].cols() % head_dim == 0 && t[keys].cols() % head_dim == 0 && t[q].cols() % t[keys].cols() == 0, name,
         "heads of {} do not share the keys of {}", t[q].text(), t[keys].text());
    fits(t[keys].rows() == Count(slots ? Symbol::keys : Symbol::tokens), name, "keys are {}", t[keys].text());
    return {{DType::f32, {Symbol{Symbol::pairs, window}, Dim(t[q].cols() / head_dim)}}};
  }
  Cost cost(const Types& t) const {
    Count n = t.result().elements();
    Cost c{.attention = 2 * head_dim * n,
           .elementwise = score().flops() * n,
           .reads = pair_reads(t, sequences, slots, window),
           .writes = {t.all_of_result()}};
    c.reads.push_back(t.all(q)), c.reads.push_back(visible(t, keys, window));
    return c;
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[q], k = m[keys], slot = m[slots];
    auto s = m.result();
    int64_t group = in.cols() / k.cols();
    for (const Query& query : queries(m[sequences], window))
      for (int64_t j = query.first; j <= query.last; ++j)
        for (int64_t h = 0, row = key_row(slot, query, j); h < s.cols(); ++h)
          s.store(query.pair + j - query.first, h,
                  score()(head_dot(in, query.row, h, k, row, h / group, head_dim, type)));
  }
};

// p = softmax of the scores of each query and head                                  scores, p: [pairs, heads]
struct PairSoftmax {
  Value scores, sequences;
  int window;
  static constexpr auto name = "softmax", called = "p";
  static void members(auto& op, auto&& f) {
    f("scores", op.scores), f("sequences", op.sequences), f("window", op.window);
  }

  std::vector<Type> infer(const Types& t) const {
    fits(t[scores].rows() == Count(Symbol{Symbol::pairs, window}), name, "scores must have one row a pair, not {}",
         t[scores].text());
    return {{DType::f32, t[scores].shape}};
  }
  Cost cost(const Types& t) const { return t.streaming(0, 5 * t[scores].elements()); }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto s = m[scores];
    auto p = m.result();
    for (const Query& q : queries(m[sequences], window))
      for (int64_t h = 0, n = q.last - q.first + 1; h < s.cols(); ++h) {
        S top(-INFINITY), sum(0);
        for (int64_t j = 0; j < n; ++j) top = max(top, s(q.pair + j, h));
        std::vector<S> e(static_cast<size_t>(n));
        for (int64_t j = 0; j < n; ++j) {
          S x = exp(s(q.pair + j, h) - top);
          e[static_cast<size_t>(j)] = x, sum = sum + x;
        }
        for (int64_t j = 0; j < n; ++j) p.store(q.pair + j, h, e[static_cast<size_t>(j)] / sum);
      }
  }
};

// y[t, h] = sum over visible keys j of p[(t, j), h] * v[j, h / group]        y: [tokens, heads * head_dim]
struct PairMix {
  Value p, values, sequences, slots;
  int head_dim, window;
  DType type;  // p and values are rounded to it
  static constexpr auto name = "pair_mix", called = "a";
  static void members(auto& op, auto&& f) {
    f("p", op.p), f("values", op.values), f("sequences", op.sequences), f("slots", op.slots);
    f("head_dim", op.head_dim), f("window", op.window), f("type", op.type);
  }
  std::vector<Type> infer(const Types& t) const {
    fits(t[p].rows() == Count(Symbol{Symbol::pairs, window}), name, "{} is not one row a pair", t[p].text());
    fits(t[values].rows() == Count(slots ? Symbol::keys : Symbol::tokens), name, "values are {}", t[values].text());
    return {{DType::f32, {Symbol::tokens, Dim(t[p].cols() * head_dim)}}};
  }
  Cost cost(const Types& t) const {
    Cost c{.attention = 2 * head_dim * t[p].elements(),
           .reads = pair_reads(t, sequences, slots, window),
           .writes = {t.all_of_result()}};
    c.reads.push_back(t.all(p)), c.reads.push_back(visible(t, values, window));
    return c;
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto prob = m[p], v = m[values], slot = m[slots];
    auto y = m.result();
    int64_t heads = prob.cols(), group = heads * head_dim / v.cols();
    for (const Query& q : queries(m[sequences], window))
      for (int64_t h = 0; h < heads; ++h) {
        std::vector<S> o(static_cast<size_t>(head_dim), S(0));
        for (int64_t j = q.first; j <= q.last; ++j) {
          S weight = round_as(type, prob(q.pair + j - q.first, h));
          for (int64_t i = 0, row = key_row(slot, q, j); i < head_dim; ++i)
            o[static_cast<size_t>(i)] =
                mul_add(weight, round_as(type, v(row, h / group * head_dim + i)), o[static_cast<size_t>(i)]);
        }
        for (int64_t i = 0; i < head_dim; ++i) y.store(q.row, h * head_dim + i, o[static_cast<size_t>(i)]);
      }
  }
};

}  // namespace ridgeline
