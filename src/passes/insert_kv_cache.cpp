#include "ops/append.h"
#include "ops/attention.h"
#include "passes/passes.h"
#include "program/rewriter.h"

namespace ridgeline {

// Each attention reads append(cache, new rows) where it read the new rows.
Program insert_kv_cache(const Program& p) {
  return rewrite(p, [](Rewriter& r, const Node& n) {
    auto* found = n.op.as<Attention>();
    if (!found) return r.keep(n);
    Attention attention = r.map(*found);
    Expr slots = r.index("slots", {Symbol::keys});  // where the row of each key lies
    auto cached = [&](const char* what, Value rows) {
      std::string state = fmt::format("layers.{}.{}_cache", n.layer, what);
      Expr cache = r.declare(state, {attention.type, {Symbol::cached, Dim(r.to.type(rows).cols())}, Role::kv},
                             Program::Origin::state);
      Value next = emit(cache, Append{cache, rows, attention.sequences, slots});
      r.to.outputs.push_back({state, next});
      return next;
    };
    attention.keys = cached("k", attention.keys);
    attention.values = cached("v", attention.values);
    attention.slots = slots;
    r.replace(n, attention);
  });
}

}  // namespace ridgeline
