#include "planner/speculation.h"

#include <cmath>

namespace ridgeline {

double expected_tokens(double a, int k) { return a == 1 ? k + 1 : (1 - std::pow(a, k + 1)) / (1 - a); }

Speculation speculate(const Deployment& target, const Deployment& draft, Times which, int64_t sequences,
                      int64_t context, double acceptance, int depth) {
  auto step = [&](const Deployment& d, int64_t fresh) {
    BatchShape batch = Deployment::alike(sequences, fresh, context);
    for (auto& s : batch.sequences) s.logit_rows = fresh;  // each position is judged
    return d.seconds(batch, which);
  };
  double plain = step(target, 1);
  Speculation s{sequences, acceptance, depth, expected_tokens(acceptance, depth)};
  s.draft_cost = step(draft, 1) / plain;
  s.verify_cost = step(target, depth + 1) / plain;
  s.speedup = s.tokens / (depth * s.draft_cost + s.verify_cost);
  return s;
}

Speculation best_speculation(const Deployment& target, const Deployment& draft, Times which, int64_t sequences,
                             int64_t context, double acceptance, int most) {
  Speculation best;
  for (int depth = 1; depth <= most; ++depth)
    if (Speculation s = speculate(target, draft, which, sequences, context, acceptance, depth);
        s.speedup > best.speedup)
      best = s;
  return best;
}

}  // namespace ridgeline
