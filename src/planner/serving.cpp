#include "planner/serving.h"

#include <algorithm>
#include <cmath>

namespace ridgeline {
namespace {

// A step of a number of requests that need not be whole: between the two whole ones beside it.
double between(double n, const ServingStep& step, bool prompt) {
  auto low = static_cast<int64_t>(n);
  double part = n - static_cast<double>(low), at_low = step(low, prompt);
  return part > 0 ? at_low + part * (step(low + 1, prompt) - at_low) : at_low;
}

}  // namespace

ServingPoint serving_point(const ServingLoad& load, const ServingStep& step, double interference) {
  auto answer = static_cast<double>(load.answer), concurrency = static_cast<double>(load.concurrency);
  ServingPoint p{.load = load, .decoding = concurrency};
  for (int i = 0; i < 50; ++i) {
    double alone = between(std::max(p.decoding, 1.0), step, false);
    p.ttft = between(std::max(p.decoding - 1, 0.0), step, true);
    // Each of the decoding requests brings a prompt every `answer` steps.
    p.tpot = alone + interference * p.decoding / answer * std::max(0.0, p.ttft - alone);
    double decoding = concurrency * answer * p.tpot / (p.ttft + answer * p.tpot);
    bool settled = std::abs(decoding - p.decoding) < 1e-6 * concurrency;
    p.decoding = decoding;
    if (settled) break;
  }
  p.tokens_per_second = p.decoding / p.tpot;
  return p;
}

BatchShape serving_batch(const ServingLoad& load, int64_t decoding, bool prompt) {
  BatchShape batch = Deployment::alike(decoding, 1, load.prompt + load.answer / 2);
  if (prompt) batch.sequences.push_back({load.prompt, 0, 1});
  return batch;
}

ServingPoint serving_point(const Deployment& d, const ServingLoad& load, Times which) {
  const Efficiency e = d.hardware().efficiency.value_or(Efficiency{});
  auto step = [&](int64_t decoding, bool prompt) { return d.seconds(serving_batch(load, decoding, prompt), which); };
  return serving_point(load, step, which == Times::ideal ? 1 : e.interference.value);
}

}  // namespace ridgeline
