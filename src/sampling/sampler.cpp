#include "sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "base/functions.h"
#include "base/philox.h"
#include "sampling/log_softmax.h"
#include "sampling/penalties.h"

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

// The k best in order, of the logits with those changed that have changed; all of them for k = 0. A heap of k with the worst
// in front: few of many logits ever enter it.
std::vector<Candidate> best(std::span<const float> logits, std::span<const AdjustedLogit> changes, int k) {
  size_t keep = k ? std::min(static_cast<size_t>(k), logits.size()) : logits.size();
  std::vector<Candidate> list;
  list.reserve(keep);
  auto offer = [&](float logit, size_t id) {  // ids come in order: of equal logits, what is there is better
    if (list.size() == keep) {
      if (!(logit > list.front().logit)) return;
      std::pop_heap(list.begin(), list.end(), better);
      list.pop_back();
    }
    list.push_back({logit, static_cast<int32_t>(id)});
    if (k) std::push_heap(list.begin(), list.end(), better);
  };
  size_t id = 0;
  auto offer_until = [&](size_t end) {
    for (; id < end && list.size() < keep; ++id) offer(logits[id], id);
    for (; id < end; ++id)
      if (logits[id] > list.front().logit) offer(logits[id], id);
  };
  for (const auto& c : changes) {
    offer_until(static_cast<size_t>(c.token));
    offer(c.logit, id++);
  }
  offer_until(logits.size());
  std::sort(list.begin(), list.end(), better);
  return list;
}

}  // namespace

void SamplerOptions::check() const {
  auto refuse = [](const char* what, auto value, const char* range) {
    fail(ExitCode::usage, "bad_sampling", "{} {} is out of range: {}", what, value, range);
  };
  for (const auto& b : logit_bias)
    if (std::isnan(b.bias) || b.bias > 100 || (b.bias < -100 && !std::isinf(b.bias)))
      refuse("--logit-bias", b.bias, "-100 to 100, or -inf");
  if (repeat_last_n < -1) refuse("--repeat-last-n", repeat_last_n, "-1 (the whole context) or more");
  if (!(repeat_penalty > 0 && repeat_penalty <= 100))
    refuse("--repeat-penalty", repeat_penalty, "above 0, at most 100");
  if (!(std::abs(frequency_penalty) <= 2)) refuse("--frequency-penalty", frequency_penalty, "-2 to 2");
  if (!(std::abs(presence_penalty) <= 2)) refuse("--presence-penalty", presence_penalty, "-2 to 2");
  if (top_k < 0) refuse("--top-k", top_k, "0 (all) or more");
  if (!(top_p > 0 && top_p <= 1)) refuse("--top-p", top_p, "above 0, at most 1");
  if (!(min_p >= 0 && min_p <= 1)) refuse("--min-p", min_p, "0 to 1");
  if (!(temperature >= 0 && temperature <= 100)) refuse("--temp", temperature, "0 (greedy) to 100");
}

void SamplerOptions::check_tokens(int64_t vocabulary) const {
  for (const auto& b : logit_bias)
    if (b.token < 0 || b.token >= vocabulary)
      fail(ExitCode::usage, "bad_sampling", "--logit-bias {}: there is no token {}; ids go from 0 to {}", text_of(b),
           b.token, vocabulary - 1);
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

int32_t sample(std::span<const float> logits, const SamplerOptions& o, int64_t position,
               std::span<const int32_t> before) {
  int32_t first = greatest(logits);
  Candidate top{logits[static_cast<size_t>(first)], first};
  auto changes = adjusted_logits(logits, o, before);
  if (!changes.empty()) {
    top = best(logits, changes, 1)[0];
    if (top.logit < std::numeric_limits<float>::lowest())
      fail(ExitCode::usage, "no_token_left", "no token may be chosen: --logit-bias forbids every one that is left");
  }
  if (o.temperature == 0 || o.top_k == 1 || std::isinf(top.logit)) return top.id;
  auto list = best(logits, changes, o.top_k);
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

ChosenToken probabilities(std::span<const float> logits, int32_t chosen, int top) {
  double sum = log_sum_exp(logits);
  auto of = [&](int32_t id) {
    return TokenProbability{id, static_cast<double>(logits[static_cast<size_t>(id)]) - sum};
  };
  ChosenToken result{of(chosen), {}};
  if (top <= 0) return result;
  for (const auto& c : best(logits, {}, top))
    if (c.logit >= std::numeric_limits<float>::lowest()) result.top.push_back(of(c.id));
  return result;
}

}  // namespace ridgeline
