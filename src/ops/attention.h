#pragma once
#include "ops/pairs.h"

namespace ridgeline {

// y = softmax(scale * q k^T) v over the visible pairs, scores never stored                 (Dao et al. 2022)
//   q, y: [tokens, heads * head_dim]   keys, values: [keys or tokens, kv_heads * head_dim]   slots: [keys], with a cache
// The arithmetic is its own (docs/numerics.md, "attention"). Keys are cut into segments of 512 absolute positions and pages of
// 32. Per segment: x = fl(dot * c), c = fl(log2 e * scale), or what a cap makes of it (ScaledAndCapped); m = max over x;
// p = 2^(x - m); l = the sum of p in 16 lanes; o = p V with p rounded to `type`, two chains per page. Segments merge, ascending:
// N = max(M, m), a = 2^(M - N), b = 2^(m - N), L = fma(L, a, l b), O = fma(O, a, o b). At last y = O * fl(1 / L) + 0.
// So neither paging, nor chunking, nor the batch, nor how segments are shared out among threads changes a bit.
struct Attention {
  Value q, keys, values, sequences, slots;
  int head_dim, window;
  float scale;
  DType type;  // q, keys, values and p are rounded to it: the type of the KV cache, whether there is one or not
  SoftCap cap = {};
  static constexpr auto name = "attention", called = "a";
  static constexpr int segment = 512, page = page_tokens;
  static void members(auto& op, auto&& f) {
    f("q", op.q), f("keys", op.keys), f("values", op.values), f("sequences", op.sequences), f("slots", op.slots);
    f("head_dim", op.head_dim), f("window", op.window), f("scale", op.scale), f("type", op.type), f("cap", op.cap);
  }
  // A dot product into x, an exponent of two.
  ScaledAndCapped exponent() const { return {scale, cap, 1.4426950408889634}; }

  std::vector<Expr> expand(const Scope& s) const {
    Expr scores = emit(s(q), PairDot{s(q), s(keys), s(sequences), s(slots), head_dim, window, scale, type, cap});
    Expr p = emit(scores, PairSoftmax{scores, s(sequences), window});
    return {emit(p, PairMix{p, s(values), s(sequences), s(slots), head_dim, window, type})};
  }
  std::vector<Type> infer(const Types& t) const {
    PairDot{q, keys, sequences, slots, head_dim, window, scale, type, cap}.infer(t);
    fits(t[keys].shape == t[values].shape, name, "keys {} and values {} differ", t[keys].text(), t[values].text());
    return {{DType::f32, t[q].shape}};
  }
  Signature signature(const Types& t) const { return {t[q].dtype, type}; }
  Cost cost(const Types& t) const {
    Count scores = Count(Symbol{Symbol::pairs, window}) * (t[q].cols() / head_dim);
    // A score costs scale, max, subtract, 2^x and sum; a result its product with 1 / L, once a query and head.
    Count elementwise = (4 + exponent().flops()) * scores + t[q].elements() + t[q].elements().scaled(1, head_dim);
    Cost c{.attention = 4 * head_dim * scores,
           .elementwise = elementwise,
           .reads = pair_reads(t, sequences, slots, window),
           .writes = {t.all_of_result()}};
    c.reads.push_back(t.all(q)), c.reads.push_back(visible(t, keys, window)),
        c.reads.push_back(visible(t, values, window));
    return c;
  }

  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[q], k = m[keys], v = m[values], slot = m[slots];
    auto y = m.result();
    int64_t heads = in.cols() / head_dim, group = in.cols() / k.cols();
    for (const Query& query : queries(m[sequences], window))
      for (int64_t h = 0; h < heads; ++h) {
        Part<S> all;
        for (int64_t start = query.first / segment * segment; start <= query.last; start += segment) {
          Part<S> one = part(in, k, v, slot, query, h, h / group, start);
          if (start <= query.first)
            all = std::move(one);
          else
            merge(all, one);
        }
        S inverse = S(1) / all.sum;
        for (int64_t i = 0; i < head_dim; ++i) {
          S o = all.mix[static_cast<size_t>(i)] * inverse;
          y.store(query.row, h * head_dim + i, fold<S>([&] { return o + S(0); }));  // + 0: one sign of zero
        }
      }
  }

 private:
  template <class S>
  struct Part {
    S top{0}, sum{0};
    std::vector<S> mix;
  };

  // One query and head over the segment that begins at position `start`. Masked slots of a visible page count as x = -infinity,
  // p = +0: they change nothing.
  template <class S>
  Part<S> part(const In<S>& in, const In<S>& k, const In<S>& v, const In<S>& slot, const Query& query, int64_t h,
               int64_t kv, int64_t start) const {
    int64_t from = std::max(start, query.first), to = std::min(start + segment - 1, query.last);
    int64_t begin = from / page * page, end = (to / page + 1) * page;  // whole pages
    ScaledAndCapped x_of = exponent();
    std::vector<S> x(static_cast<size_t>(end - begin), S(-INFINITY)), p(x.size(), S(0));
    for (int64_t j = from; j <= to; ++j)
      x[static_cast<size_t>(j - begin)] =
          x_of(head_dot(in, query.row, h, k, key_row(slot, query, j), kv, head_dim, type));
    Lanes<S> top(S(-INFINITY)), sum(S(0));
    for (int64_t j = begin; j < end; ++j) {
      S& lane = top.lane[j % 16];
      auto greater = [&] { return max(lane, x[static_cast<size_t>(j - begin)]); };
      lane = j < from || j > to ? fold<S>(greater) : greater();
    }
    Part<S> r{top.greatest(), S(0), std::vector<S>(static_cast<size_t>(head_dim), S(0))};
    for (int64_t j = from; j <= to; ++j) {
      S e = exp2(x[static_cast<size_t>(j - begin)] - r.top);
      sum.lane[j % 16] = sum.lane[j % 16] + e;
      p[static_cast<size_t>(j - begin)] = round_as(type, e);
    }
    r.sum = sum.sum();
    for (int64_t tile = begin; tile < end; tile += page)
      for (int64_t i = 0; i < head_dim; ++i) {
        S even(0), odd(0);
        for (int64_t j = std::max(tile, from); j <= std::min(tile + page - 1, to); ++j) {
          S& chain = j % 2 ? odd : even;
          chain = mul_add(p[static_cast<size_t>(j - begin)],
                          round_as(type, v(key_row(slot, query, j), kv * head_dim + i)), chain);
        }
        S& mix = r.mix[static_cast<size_t>(i)];
        mix = fold<S>([&] { return mix + (even + odd); });
      }
    return r;
  }

  template <class S>
  static void merge(Part<S>& all, const Part<S>& one) {
    all = fold<S>([&] {
      S top = max(all.top, one.top), a = exp2(all.top - top), b = exp2(one.top - top);
      Part<S> r{top, mul_add(all.sum, a, one.sum * b), std::move(all.mix)};
      for (size_t i = 0; i < r.mix.size(); ++i) r.mix[i] = mul_add(r.mix[i], a, one.mix[i] * b);
      return r;
    });
  }
};

// Grouped-query attention: `group` query heads share a head of k and v (Ainslie et al. 2023; one KV head: Shazeer 2019).
// window: how many keys a query sees, itself included; 0: all before it. Rounds to bf16 (retype says otherwise).
// cap: of the scores; 0: none.
inline Expr attention(Expr q, Expr k, Expr v, Expr sequences, int head_dim, int window, float scale, float cap = 0) {
  return emit(q, Attention{q, k, v, sequences, {}, head_dim, window, scale, DType::bf16, {cap}});
}
inline Expr attention(Expr q, Expr k, Expr v, Expr sequences, int head_dim, int window = 0) {
  return attention(q, k, v, sequences, head_dim, window, 1 / std::sqrt(static_cast<float>(head_dim)));
}

}  // namespace ridgeline
