// Logits to log probabilities, in double and without libm: the same figures on every machine.
#pragma once
#include <span>

namespace ridgeline {

// ln of the sum of e^logit, so that ln p(i) = logits[i] - log_sum_exp(logits). Eight running sums, index mod 8, added at the
// end. NaN where a logit is NaN or +infinity, or all are -infinity.
double log_sum_exp(std::span<const float> logits);  // [vocab]

// KL(P || Q) = sum of p ln(p / q) in nats, given what log_sum_exp gave for both; at least 0.
double divergence(std::span<const float> p, double p_sum, std::span<const float> q, double q_sum);  // [vocab] each

}  // namespace ridgeline
