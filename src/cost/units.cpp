#include "cost/units.h"

#include <fmt/format.h>

#include <cmath>

#include "base/text_table.h"

namespace ridgeline {

std::string figures(double x, int digits) {
  if (x == 0 || !std::isfinite(x)) return fmt::format("{}", x);
  int before = static_cast<int>(std::floor(std::log10(std::abs(x)))) + 1;
  if (before >= digits) return grouped(std::llround(x));
  std::string text = fmt::format("{:.{}f}", x, digits - before);
  // 9.996 has three digits as 10.0, not 10.00.
  if (std::stod(text) >= std::pow(10, before)) text = fmt::format("{:.{}f}", x, std::max(0, digits - before - 1));
  return text;
}

namespace {
struct Unit {
  double size;
  std::string_view name;
};
template <size_t n>
std::string in_unit(double x, const Unit (&units)[n]) {  // largest first
  for (const Unit& u : units)
    if (std::abs(x) >= u.size * 0.9995) return figures(x / u.size) + std::string(u.name);
  return figures(x / units[n - 1].size) + std::string(units[n - 1].name);
}
}  // namespace

std::string time_text(double seconds) {
  constexpr Unit units[] = {{86400, " days"}, {3600, " h"},  {60, " min"}, {1, " s"},
                            {1e-3, " ms"},    {1e-6, " us"}, {1e-9, " ns"}};
  return in_unit(seconds, units);
}

std::string bytes_text(double bytes) {
  constexpr Unit units[] = {{1e15, " PB"}, {1e12, " TB"}, {1e9, " GB"}, {1e6, " MB"}, {1e3, " kB"}, {1, " B"}};
  return in_unit(bytes, units);
}

std::string rate_text(double per_second, std::string_view of) {
  return figures(per_second) + " " + std::string(of) + "/s";
}

}  // namespace ridgeline
