#include "ops/attention.h"
#include "ops/pairs.h"
#include "passes/passes.h"
#include "program/rewriter.h"

namespace ridgeline {

Program retype(const Program& p, const Retype& to) {
  Program typed = p;
  for (auto& v : typed.values) {
    if (!v.type.is_matrix() || !to.matrix) continue;
    v.type.dtype = to.matrix(v.name, v.type.dtype);
    if (int64_t block = row_of(v.type.dtype).block; v.type.cols() % block)
      fail(ExitCode::usage, "type_shape",
           "{} has rows of {} elements, which are not whole blocks of {} ({}); choose another type", v.name,
           v.type.cols(), name_of(v.type.dtype), block);
  }
  return rewrite(typed, [&](Rewriter& r, const Node& n) {
    auto* a = n.op.as<Attention>();
    if (!a || !to.kv) return r.keep(n);
    Attention attention = r.map(*a);
    attention.type = *to.kv;
    r.replace(n, attention);
  });
}

}  // namespace ridgeline
