#include "base/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ridgeline {
namespace {

constexpr std::string_view prefixes[] = {"", "k", "M", "G", "T", "P", "E"};

size_t width_of(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string TextTable::text() const {
  std::vector<size_t> widths;
  for (const auto& c : columns_) widths.push_back(width_of(c.title));
  for (const auto& r : rows_)
    for (size_t i = 0; i < r.cells.size(); ++i) widths[i] = std::max(widths[i], width_of(r.cells[i]));
  std::string out;
  auto put = [&](auto&& cell_of, size_t cells) {
    std::string line;
    for (size_t i = 0; i < cells; ++i) {
      const std::string& cell = cell_of(i);
      std::string pad(widths[i] - width_of(cell), ' ');
      line += "  " + (columns_[i].align == Align::left ? cell + pad : pad + cell);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  put([&](size_t i) -> const std::string& { return columns_[i].title; }, columns_.size());
  for (const auto& r : rows_)
    if (r.cells.empty())
      out += r.line + "\n";
    else
      put([&](size_t i) -> const std::string& { return r.cells[i]; }, r.cells.size());
  return out;
}

std::string grouped(int64_t n) {
  std::string s = fmt::format("{}", n);
  for (size_t i = s.size(), least = n < 0 ? 4 : 3; i > least;) s.insert(i -= 3, ",");
  return s;
}

std::string quantity(double x) {
  size_t p = 0;
  for (; std::abs(x) >= 999.95 && p + 1 < std::size(prefixes); ++p) x /= 1000;
  if (!p) return fmt::format("{:g} ", x);
  return fmt::format("{:.{}f} {}", x, std::abs(x) < 99.995 ? 2 : 1, prefixes[p]);
}

Scale::Scale(int64_t most) {
  size_t p = 0;
  for (; static_cast<double>(most) / unit >= 10000 && p + 1 < std::size(prefixes); ++p) unit *= 1000;
  prefix = prefixes[p];
}

std::string Scale::text(int64_t n) const {
  if (!n) return "-";
  if (unit == 1) return grouped(n);
  double x = static_cast<double>(n) / unit;
  auto thousandths = static_cast<int64_t>(std::llround(x * 1000));
  return fmt::format("{}.{:03}", grouped(thousandths / 1000), thousandths % 1000);
}

}  // namespace ridgeline
