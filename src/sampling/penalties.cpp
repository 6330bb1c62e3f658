#include "sampling/penalties.h"

#include <algorithm>
#include <cmath>

namespace ridgeline {
namespace {

// The tokens that penalties look at; none where there are no penalties.
std::span<const int32_t> seen_tokens(const SamplerOptions& o, std::span<const int32_t> before) {
  if (o.repeat_penalty == 1 && o.frequency_penalty == 0 && o.presence_penalty == 0) return {};
  if (o.repeat_last_n < 0) return before;
  return before.last(std::min(before.size(), static_cast<size_t>(o.repeat_last_n)));
}

}  // namespace

std::vector<AdjustedLogit> adjusted_logits(std::span<const float> logits, const SamplerOptions& o,
                                           std::span<const int32_t> before) {
  auto window = seen_tokens(o, before);
  std::vector<int32_t> seen(window.begin(), window.end());
  std::vector<LogitBias> biases = o.logit_bias;
  std::ranges::sort(seen);
  std::ranges::stable_sort(biases, {}, &LogitBias::token);

  std::vector<AdjustedLogit> list;
  auto s = seen.begin();
  auto b = biases.begin();
  while (s != seen.end() || b != biases.end()) {
    int32_t id = s == seen.end() || (b != biases.end() && b->token < *s) ? b->token : *s;
    bool is_there = id >= 0 && static_cast<size_t>(id) < logits.size();
    float x = is_there ? logits[static_cast<size_t>(id)] : 0;
    for (; b != biases.end() && b->token == id; ++b) x = std::isinf(b->bias) ? b->bias : x + b->bias;
    int count = 0;
    for (; s != seen.end() && *s == id; ++s) ++count;
    if (count) {
      x = x > 0 ? x / o.repeat_penalty : x * o.repeat_penalty;
      x -= static_cast<float>(count) * o.frequency_penalty + o.presence_penalty;
    }
    if (is_there) list.push_back({x, id});
  }
  return list;
}

}  // namespace ridgeline
