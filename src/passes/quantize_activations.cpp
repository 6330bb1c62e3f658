#include <map>

#include "ops/linear.h"
#include "ops/quantize.h"
#include "passes/passes.h"
#include "program/rewriter.h"

namespace ridgeline {

Program quantize_activations(const Program& p) {
  std::map<std::pair<Value, DType>, Value> done;  // of the old program -> its converted form in the new one
  return rewrite(p, [&](Rewriter& r, const Node& n) {
    auto* found = n.op.as<Linear>();
    DType weight = found ? r.from.type(found->weight).dtype : DType::f32;
    if (!is_grouped(weight) && weight != DType::bf16) return r.keep(n);
    DType want = weight == DType::bf16 ? DType::bf16 : DType::q8;
    Linear linear = r.map(*found);
    Value& converted = done[{found->x, want}];
    if (!converted) converted = quantize(r(found->x), want);
    linear.x = converted;
    r.replace(n, linear);
  });
}

}  // namespace ridgeline
