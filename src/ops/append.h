#pragma once
#include "ops/ragged.h"
#include "program/program.h"

namespace ridgeline {

// cache' = cache with the new tokens' rows, each rounded and put at its slot
//                        cache: [cached, dim]   x: [tokens, dim]   slots: [keys]   cache': [keys, dim], in the same memory
struct Append {
  State cache;
  Value x, sequences, slots;
  static constexpr auto name = "append";
  static constexpr bool keeps_name = true;
  static void members(auto& op, auto&& f) {
    f("cache", op.cache), f("x", op.x), f("sequences", op.sequences), f("slots", op.slots);
  }

  std::vector<Type> infer(const Types& t) const {
    fits(t[cache].rows() == Count(Symbol::cached) && t[x].rows() == Count(Symbol::tokens), name,
         "expected [cached, ..] and [tokens, ..], not {} and {}", t[cache].text(), t[x].text());
    fits(t[cache].cols() == t[x].cols(), name, "rows of {} do not fit {}", t[x].text(), t[cache].text());
    return {{t[cache].dtype, {Symbol::keys, Dim(t[x].cols())}, Role::kv}};
  }
  Cost cost(const Types& t) const {  // only the new rows are touched, and their slots read
    return {.reads = {t.all(x), t.all(sequences), {slots, Symbol::tokens}},
            .writes = {{t.results.at(0), t[x].elements()}}};
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto in = m[x], slot = m[slots];
    auto y = m.result();
    for (const Query& q : queries(m[sequences], 0))
      for (int64_t c = 0, row = slot.index(q.keys + q.last); c < in.cols(); ++c) y.store(row, c, in(q.row, c));
  }
};

inline Expr append(Expr cache, Expr x, Expr sequences, Expr slots) {
  return emit(x, Append{{cache}, x, sequences, slots});
}

}  // namespace ridgeline
