#include "planner/serving.h"

#include <algorithm>
#include <cmath>

namespace ridgeline {
namespace {

// A step of a number of sequences that need not be whole: between the two whole ones beside it.
template <class F>
double between(double n, F step) {
  auto low = static_cast<int64_t>(n);
  double part = n - static_cast<double>(low), at_low = step(low);
  return part > 0 ? at_low + part * (step(low + 1) - at_low) : at_low;
}

}  // namespace

ServingPoint serving_point(const Deployment& d, const ServingLoad& load, Times which) {
  int64_t context = load.prompt + load.answer / 2;  // on average
  auto decode = [&](int64_t n) { return d.seconds(Deployment::alike(n, 1, context), which); };
  auto mixed = [&](int64_t n) {
    BatchShape batch = Deployment::alike(n, 1, context);
    batch.sequences.push_back({load.prompt, 0, 1});
    return d.seconds(batch, which);
  };
  auto answer = static_cast<double>(load.answer), concurrency = static_cast<double>(load.concurrency);
  ServingPoint p{.load = load, .decoding = concurrency};
  for (int i = 0; i < 50; ++i) {
    double steps = between(std::max(p.decoding, 1.0), decode);
    double with_prompt = between(std::max(p.decoding - 1, 0.0), mixed);
    p.ttft = with_prompt;
    // Each of the decoding requests brings a prompt every `answer` steps.
    p.tpot = steps + p.decoding / answer * std::max(0.0, with_prompt - steps);
    double decoding = concurrency * answer * p.tpot / (p.ttft + answer * p.tpot);
    bool settled = std::abs(decoding - p.decoding) < 1e-9 * concurrency;
    p.decoding = decoding;
    if (settled) break;
  }
  p.tokens_per_second = p.decoding / p.tpot;
  return p;
}

}  // namespace ridgeline
