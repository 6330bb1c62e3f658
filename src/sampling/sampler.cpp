#include "sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/functions.h"
#include "base/philox.h"

namespace ridgeline {
namespace {

struct Candidate {
  float logit;
  int32_t id;
  double weight = 0;
};
bool better(const Candidate& a, const Candidate& b) { return a.logit != b.logit ? a.logit > b.logit : a.id < b.id; }

// Weights relative to the greatest, e^((logit - greatest) / temperature), and their sum. Not libm's exponential: the same draw
// is the same token on every machine.
double weigh(std::vector<Candidate>& list, float temperature) {
  double sum = 0;
  for (auto& c : list) sum += c.weight = static_cast<double>(exp_f32((c.logit - list[0].logit) / temperature));
  return sum;
}

// The k best in order; all of them for k = 0. A heap of k with the worst in front: few of many logits ever enter it.
std::vector<Candidate> best(std::span<const float> logits, int k) {
  size_t keep = k ? std::min(static_cast<size_t>(k), logits.size()) : logits.size();
  std::vector<Candidate> list;
  list.reserve(keep);
  for (size_t i = 0; i < logits.size(); ++i) {
    Candidate c{logits[i], static_cast<int32_t>(i)};
    if (list.size() == keep) {
      if (!better(c, list.front())) continue;
      std::pop_heap(list.begin(), list.end(), better);
      list.pop_back();
    }
    list.push_back(c);
    if (k) std::push_heap(list.begin(), list.end(), better);
  }
  std::sort(list.begin(), list.end(), better);
  return list;
}

}  // namespace

void SamplerOptions::check() const {
  auto refuse = [](const char* what, auto value, const char* range) {
    fail(ExitCode::usage, "bad_sampling", "{} {} is out of range: {}", what, value, range);
  };
  if (top_k < 0) refuse("--top-k", top_k, "0 (all) or more");
  if (!(top_p > 0 && top_p <= 1)) refuse("--top-p", top_p, "above 0, at most 1");
  if (!(min_p >= 0 && min_p <= 1)) refuse("--min-p", min_p, "0 to 1");
  if (!(temperature >= 0 && temperature <= 100)) refuse("--temp", temperature, "0 (greedy) to 100");
}

int32_t greatest(std::span<const float> logits) {
  size_t at = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i]))
      fail(ExitCode::internal, "numeric_error",
           "the logit of token {} is not a number: the model's weights or its computation are broken", i);
    if (logits[i] > logits[at]) at = i;
  }
  return static_cast<int32_t>(at);
}

int32_t sample(std::span<const float> logits, const SamplerOptions& o, int64_t position) {
  int32_t top = greatest(logits);
  if (o.temperature == 0 || o.top_k == 1 || std::isinf(logits[static_cast<size_t>(top)])) return top;
  auto list = best(logits, o.top_k);
  if (o.top_p < 1) {
    double sum = weigh(list, 1), reached = 0;
    size_t keep = 0;
    while (keep < list.size() && reached < static_cast<double>(o.top_p) * sum) reached += list[keep++].weight;
    list.resize(std::max<size_t>(keep, 1));
  }
  if (o.min_p > 0) {
    weigh(list, 1);
    std::erase_if(list, [&](const Candidate& c) { return c.weight < static_cast<double>(o.min_p); });
  }
  double sum = weigh(list, o.temperature), draw = philox_uniform(o.seed, static_cast<uint64_t>(position)) * sum;
  for (const auto& c : list)
    if ((draw -= c.weight) < 0) return c.id;
  return list.back().id;
}

}  // namespace ridgeline
