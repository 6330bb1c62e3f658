#include "ops/select_rows.h"
#include "passes/passes.h"
#include "program/rewriter.h"

namespace ridgeline {

Program select_logit_rows(const Program& p) {
  Uses uses(p);
  Value at = p.output("logits");
  for (;;) {
    const Node* n = uses.producer(at);
    Values rows;
    for (Value v : n->op.operands())
      if (p.type(v).role == Role::activation) rows.push_back(v);
    if (!n->op.row_wise() || rows.size() != 1 || uses.count(rows[0]) != 1) break;
    at = rows[0];
  }
  return rewrite(p, [&](Rewriter& r, const Node& n) {
    r.keep(n);
    if (n.results[0] != at) return;
    r.to.layer = -1;
    r.replace(at, select_rows(r(at), r.index("logit_rows", {Symbol::logit_rows})));
  });
}

}  // namespace ridgeline
