// A mean and how far it may be off.
#pragma once
#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace ridgeline {

struct Estimate {
  double mean = 0, error = 0;  // error: the standard error of the mean, sqrt(variance / (n - 1)); 0 for n < 2
};

inline Estimate estimate(std::span<const double> values) {
  if (values.empty()) return {};
  auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (double v : values) sum += v;
  double mean = sum / n;
  for (double v : values) squares += (v - mean) * (v - mean);
  return {mean, n > 1 ? std::sqrt(squares / n / (n - 1)) : 0};
}

// The value that a part q of the values does not exceed, between two of them by straight line. values: sorted, not empty.
inline double quantile(std::span<const double> values, double q) {
  double at = q * static_cast<double>(values.size() - 1), below = std::floor(at);
  auto i = static_cast<size_t>(below);
  return values[i] + (at - below) * (values[std::min(i + 1, values.size() - 1)] - values[i]);
}

}  // namespace ridgeline
