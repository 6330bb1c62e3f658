#include "sampling/log_softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/functions.h"

namespace ridgeline {
namespace {

constexpr size_t lanes = 8;

// The sum of term(i) for i below n.
template <class Term>
double sum_of(size_t n, Term term) {
  double sums[lanes] = {};
  size_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (size_t l = 0; l < lanes; ++l) sums[l] += term(i + l);
  for (size_t l = 0; i < n; ++i, ++l) sums[l] += term(i);
  double all = 0;
  for (double s : sums) all += s;
  return all;
}

}  // namespace

double log_sum_exp(std::span<const float> logits) {
  float top = -std::numeric_limits<float>::infinity();
  for (float x : logits) {
    if (!(x <= top)) top = x;
    if (std::isnan(top)) break;
  }
  if (!std::isfinite(top)) return std::numeric_limits<double>::quiet_NaN();
  double greatest = static_cast<double>(top);
  return greatest +
         log_f64(sum_of(logits.size(), [&](size_t i) { return exp_f64(static_cast<double>(logits[i]) - greatest); }));
}

double divergence(std::span<const float> p, double p_sum, std::span<const float> q, double q_sum) {
  double kl = sum_of(p.size(), [&](size_t i) {
    double log_p = static_cast<double>(p[i]) - p_sum, weight = exp_f64(log_p);
    double term = weight * (log_p - (static_cast<double>(q[i]) - q_sum));
    return weight == 0 ? 0 : term;  // 0 ln 0 = 0
  });
  return std::max(kl, 0.0);
}

}  // namespace ridgeline
