#pragma once
#include "program/program.h"

namespace ridgeline {

// y[r] = table[index[r]]                         table: [n, dim]   index: [rows]   y: [rows, dim]
// Token embedding, learned positions, and the rows whose logits are wanted. A quantized table is dequantized.
struct SelectRows {
  Value table, index;
  static constexpr auto name = "select_rows", notation = "$0[$1]";
  static constexpr bool keeps_name = true;
  static void members(auto& op, auto&& f) { f("table", op.table), f("index", op.index); }

  std::vector<Type> infer(const Types& t) const {
    fits(t[index].role == Role::index, name, "the index {} must hold integers", t[index].text());
    DType y = t[table].role == Role::weight ? DType::f32 : t[table].dtype;
    return {{y, {t[index].rows(), Dim(t[table].cols())}}};
  }
  Cost cost(const Types& t) const {  // the chosen rows only; a row chosen twice is counted twice
    return {.reads = {{table, t.result().elements()}, t.all(index)}, .writes = {t.all_of_result()}};
  }
  template <class S>
  void evaluate(const Memory<S>& m) const {
    auto from = m[table], rows = m[index];
    auto y = m.result();
    for (int64_t r = 0; r < y.rows(); ++r)
      for (int64_t row = rows.index(r), c = 0; c < y.cols(); ++c) y.store(r, c, from(row, c));
  }
};

inline Expr select_rows(Expr table, Expr index) { return emit(table, SelectRows{table, index}); }
inline Expr embedding(Expr index, Expr table) { return named("x", select_rows(table, index)); }

}  // namespace ridgeline
