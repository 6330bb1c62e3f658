#include "chart/axis.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text_table.h"

namespace ridgeline {

double Axis::place(double value) const { return kind_ == Kind::log ? std::log10(value) : value; }

Axis::Axis(Kind kind, double low, double high, double from, double to)
    : kind_(kind), low_(low), high_(high), from_(from), to_(to) {
  require(std::isfinite(low) && std::isfinite(high) && low < high && (kind == Kind::linear || low > 0),
          "an axis from {} to {}", low, high);
}

double Axis::operator()(double value) const {
  double low = place(low_);
  return from_ + (to_ - from_) * (place(value) - low) / (place(high_) - low);
}

std::vector<double> linear_ticks(double low, double high, int most) {
  // Numbers that a double hardly tells apart have none between them.
  if (!(high - low > 1e-9 * std::max(std::abs(low), std::abs(high)))) return {};
  double least = (high - low) / std::max(1, most), power = std::pow(10, std::floor(std::log10(least)));
  double step = 10 * power;
  for (double times : {5.0, 2.0, 1.0})
    // One tick more than there are steps lies between two that are ticks themselves.
    if (std::floor(high / (times * power) + 1e-9) - std::ceil(low / (times * power) - 1e-9) + 1 <= most)
      step = times * power;
  std::vector<double> ticks;
  for (double i = std::ceil(low / step - 1e-9); i <= std::floor(high / step + 1e-9); ++i) ticks.push_back(i * step);
  return ticks;
}

std::vector<double> log_ticks(double low, double high, int most, int base) {
  auto power = [&](double x) { return std::log(x) / std::log(base); };
  auto first = static_cast<int>(std::ceil(power(low) - 1e-9)), last = static_cast<int>(std::floor(power(high) + 1e-9));
  int every = 1;
  auto count = [&] { return (last - first) / every + 1; };
  while (last > first && count() > std::max(2, most)) ++every;
  std::vector<double> ticks;
  if (base == 10 && 3 * (last - first + 1) <= most) {
    for (int i = first - 1; i <= last; ++i)
      for (double times : {1.0, 2.0, 5.0})
        if (double tick = times * std::pow(10, i); tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9))
          ticks.push_back(tick);
    return ticks;
  }
  // Multiples of `every`, so that 1 is a tick where it is in sight.
  for (int i = first; i <= last; ++i)
    if (i % every == 0) ticks.push_back(std::pow(base, i));
  return ticks;
}

std::string tick_text(double value) {
  if (std::abs(value) < 1e6 && value == std::round(value)) return grouped(std::llround(value));
  constexpr std::string_view prefixes[] = {"", " k", " M", " G", " T", " P", " E"};
  size_t p = 0;
  for (; std::abs(value) >= 999.5 && p + 1 < std::size(prefixes); ++p) value /= 1000;
  return fmt::format("{:.4g}{}", value, prefixes[p]);
}

}  // namespace ridgeline
