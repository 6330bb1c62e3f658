#include "ops/rope.h"

#include <numbers>

namespace ridgeline {

RopeFrequencies::RopeFrequencies(int head_dim, float rope_base, std::vector<float> divisors)
    : base(rope_base), factors(std::move(divisors)), radians(static_cast<size_t>(head_dim / 2)) {
  fits(head_dim % 2 == 0 && (factors.empty() || factors.size() == radians.size()), "rope", "{} factors for heads of {}",
       factors.size(), head_dim);
  for (size_t i = 0; i < radians.size(); ++i)
    radians[i] = power(base, -2.0 * static_cast<double>(i) / head_dim) /
                 (factors.empty() ? 1.0 : static_cast<double>(factors[i]));
}

std::string RopeFrequencies::text() const {
  std::string out = fmt::format("rope(base={:g}", base);
  if (!factors.empty()) out += fmt::format(", factors={:g}..{:g}", factors.front(), factors.back());
  return out + ")";
}

std::vector<float> llama3_rope_factors(int head_dim, float base, float factor, float low, float high,
                                       float original_context) {
  std::vector<float> factors;
  for (int i = 0; i < head_dim / 2; ++i) {
    double wavelength = 2 * std::numbers::pi / power(base, -2.0 * i / head_dim);
    double smooth = (static_cast<double>(original_context) / wavelength - low) / (static_cast<double>(high) - low);
    smooth = std::clamp(smooth, 0.0, 1.0);  // 0: stretched whole, 1: kept
    factors.push_back(static_cast<float>(1.0 / ((1 - smooth) / factor + smooth)));
  }
  return factors;
}

}  // namespace ridgeline
