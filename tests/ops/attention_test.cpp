// Attention against softmax(q k^T / sqrt(d)) v in double, and against itself: in pieces, in other company, in other blocks.
#include <gtest/gtest.h>

#include "ops/reference_run.h"
#include "program/builder.h"

namespace ridgeline::test {
namespace {

struct Heads {
  int q, kv, dim;
};

// q, k and v by token; attention over a cache that they are appended to, or over themselves.
Program attend(Heads h, int window, DType type, bool cached) {
  Builder b("attend", DType::f32);
  Expr tokens = b.tokens(), sequences = b.sequences();
  Expr q = select_rows(b.weight("q", {Dim(1400), Dim(h.q * h.dim)}), tokens);
  Expr k = select_rows(b.weight("k", {Dim(1400), Dim(h.kv * h.dim)}), tokens);
  Expr v = select_rows(b.weight("v", {Dim(1400), Dim(h.kv * h.dim)}), tokens);
  Attention a{q, k, v, sequences, {}, h.dim, window, 1 / std::sqrt(static_cast<float>(h.dim)), type};
  if (!cached) return b.finish("a", emit(q, a));
  Program p = b.finish("a", q);
  p.outputs.clear();
  p.facts.insert("cached");
  Expr slots{&p, p.declare("slots", {DType::i32, {Symbol::keys}, Role::index}, Program::Origin::input)};
  for (auto [name, rows] : {std::pair{"k_cache", &a.keys}, std::pair{"v_cache", &a.values}}) {
    Expr cache{&p, p.declare(name, {type, {Symbol::cached, Dim(h.kv * h.dim)}, Role::kv}, Program::Origin::state)};
    *rows = append(cache, {&p, *rows}, {&p, sequences.value}, slots);
    p.outputs.push_back({name, *rows});
  }
  a.slots = slots;
  p.outputs.push_back({"a", p.add(a)[0]});
  return p;
}

std::vector<int32_t> tokens_from(int32_t first, int64_t count) {
  std::vector<int32_t> t(static_cast<size_t>(count));
  std::iota(t.begin(), t.end(), first);
  return t;
}

double rounded(DType t, float x) { return static_cast<double>(round_as(t, x)); }

// The textbook form in double over the rows of q, k and v as the program stores them, and how far from it the arithmetic of
// docs/numerics.md may come. x: scores in natural units. With u = 2^-24: the dot errs by (d/32 + 18) u sum|q k|, its scaling by
// 2 u |x|, so a weight by dx = 2 (that) + 2^-22; rounding p to the type by `type_error`; sums by (n/16 + 8) u; the mix by
// (n/32 + 20) u; all relative to sum p |v|. Twice dx, because a weight and the sum it is divided by may err apart.
struct Textbook {
  std::vector<double> y, bound;
};
struct Mutant {  // a way to get it wrong
  int window = 0;
  double scale = 1;
  bool heads_wrong = false;
};
Textbook textbook(const ReferenceRun& run, Heads h, DType type, int64_t tokens, const Mutant& how) {
  auto matrix = [&](const char* name) { return ReferenceRun::elements(run.tensor(run.program().find(name))); };
  auto q = matrix("q"), k = matrix("k"), v = matrix("v");
  constexpr double u = 0x1p-24;
  double type_error = type == DType::bf16 ? 0x1p-8 : 0;
  Textbook t;
  for (int64_t i = 0; i < tokens; ++i)
    for (int64_t head = 0; head < h.q; ++head) {
      int64_t kv = how.heads_wrong ? head % h.kv : head / (h.q / h.kv),
              first = how.window ? std::max<int64_t>(0, i - how.window + 1) : 0;
      auto n = static_cast<double>(i - first + 1);
      std::vector<double> x;
      double dx = 0, top = -INFINITY, sum = 0, scale = how.scale / std::sqrt(static_cast<double>(h.dim));
      for (int64_t j = first; j <= i; ++j) {
        double dot = 0, magnitude = 0;
        for (int64_t d = 0; d < h.dim; ++d) {
          double term = rounded(type, q[static_cast<size_t>((i * h.q + head) * h.dim + d)]) *
                        rounded(type, k[static_cast<size_t>((j * h.kv + kv) * h.dim + d)]);
          dot += term, magnitude += std::abs(term);
        }
        x.push_back(dot * scale);
        dx = std::max(dx, scale * ((h.dim / 32.0 + 18) * magnitude + 2 * std::abs(dot)) * u);
        top = std::max(top, x.back());
      }
      for (double& e : x) sum += e = std::exp(e - top);
      for (int64_t d = 0; d < h.dim; ++d) {
        double y = 0, magnitude = 0;
        for (int64_t j = first; j <= i; ++j) {
          double term = x[static_cast<size_t>(j - first)] / sum *
                        rounded(type, v[static_cast<size_t>((j * h.kv + kv) * h.dim + d)]);
          y += term, magnitude += std::abs(term);
        }
        t.y.push_back(y);
        t.bound.push_back(magnitude * (type_error + 4 * dx + 0x1p-20 + (n / 16 + n / 32 + 28) * u));
      }
    }
  return t;
}

double worst(const std::vector<float>& y, const Textbook& t) {  // in bounds: 1 is the bound itself
  double w = 0;
  for (size_t i = 0; i < y.size(); ++i) w = std::max(w, std::abs(static_cast<double>(y[i]) - t.y[i]) / t.bound[i]);
  return w;
}

constexpr Heads shapes[] = {{3, 3, 8}, {4, 2, 40}, {4, 1, 16}};  // one KV head a head, grouped, one for all

TEST(Attention, IsTextbookAttentionWithinItsBound) {
  for (Heads h : shapes)
    for (int window : {0, 3, 70})
      for (DType type : {DType::f32, DType::bf16}) {
        SCOPED_TRACE(fmt::format("heads {}/{} window {} {}", h.q, h.kv, window, name_of(type)));
        ReferenceRun run(attend(h, window, type, false), h.dim);
        constexpr int64_t n = 150;
        run.step({{tokens_from(0, n)}});
        auto y = run.output("a");
        EXPECT_LE(worst(y, textbook(run, h, type, n, {window})), 1);
        EXPECT_GT(worst(y, textbook(run, h, type, n, {window ? window + 1 : 149})), 3)
            << "a window off by one goes unseen";
        EXPECT_GT(worst(y, textbook(run, h, type, n, {window, std::sqrt(h.dim)})), 3) << "a missing scale goes unseen";
        if (h.kv > 1 && h.kv < h.q) {
          EXPECT_GT(worst(y, textbook(run, h, type, n, {window, 1, true})), 3) << "a wrong map of heads goes unseen";
        }
      }
}

TEST(Attention, ManySegmentsStayWithinTheBound) {
  Heads h{2, 1, 8};
  for (int window : {0, 600}) {
    ReferenceRun run(attend(h, window, DType::bf16, false), h.dim);
    run.step({{tokens_from(0, 1300)}});
    EXPECT_LE(worst(run.output("a"), textbook(run, h, DType::bf16, 1300, {window})), 1);
  }
}

TEST(Attention, NeitherChunksNorCacheNorBlocksNorCompanyChangeABit) {
  for (Heads h : shapes)
    for (int window : {0, 40}) {
      SCOPED_TRACE(fmt::format("heads {}/{} window {}", h.q, h.kv, window));
      constexpr int64_t n = 530;  // crosses a segment
      ReferenceRun whole(attend(h, window, DType::bf16, false), h.dim);
      whole.step({{tokens_from(0, n)}});
      auto expected = whole.output("a");

      std::mt19937 r(1);
      for (int64_t largest : {1, 64, 300}) {
        ReferenceRun run(attend(h, window, DType::bf16, true), h.dim);
        std::vector<int32_t> mine(17), other = {40, 3, 41};  // scattered, and a stranger's in between
        for (int i = 0; i < 17; ++i) mine[static_cast<size_t>(i)] = (i * 7 + 5) % 31 + 4;
        std::vector<float> got;
        for (int64_t done = 0, other_done = 0; done < n;) {
          int64_t fresh = std::min<int64_t>(
              n - done, largest == 1 ? 1 : 1 + static_cast<int64_t>(r() % static_cast<unsigned>(largest)));
          std::vector<TestSequence> batch = {{tokens_from(static_cast<int32_t>(done), fresh), done, mine}};
          bool company = other_done < 90 && r() % 3 == 0, first = r() % 2;
          if (company)
            batch.insert(first ? batch.begin() : batch.end(), TestSequence{tokens_from(700, 7), other_done, other});
          run.step(batch);
          auto y = run.output("a");
          auto from = y.begin() + (company && first ? 7 * h.q * h.dim : 0);
          got.insert(got.end(), from, from + fresh * h.q * h.dim);
          done += fresh, other_done += company ? 7 : 0;
        }
        EXPECT_TRUE(same_bits(got, expected)) << "chunks of up to " << largest;
      }
    }
}

}  // namespace
}  // namespace ridgeline::test
