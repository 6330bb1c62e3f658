#include "base/edit_distance.h"

#include <algorithm>
#include <numeric>

namespace ridgeline {

size_t edit_distance(std::string_view a, std::string_view b) {
  // Rows of the table of distances between beginnings of both: of the beginning of `a` before last, the last, and this one.
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  std::iota(now.begin(), now.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    before.swap(last), last.swap(now);
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({now[j - 1] + 1, last[j] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
    }
  }
  return now.back();
}

std::string likely_meant(std::string_view typed, const std::vector<std::string>& names) {
  constexpr size_t longest = 64;  // nothing that is spelt here is longer, and the work grows with both lengths
  auto letters = static_cast<size_t>(std::count_if(typed.begin(), typed.end(), [](char c) { return c != '-'; }));
  if (letters < 2 || typed.size() > longest) return {};
  size_t least = std::max<size_t>(letters / 3, 1) + 1;
  std::string best;
  for (const auto& name : names) {
    size_t distance = name.starts_with(typed) ? 1 : edit_distance(typed, name);
    if (distance < least) least = distance, best = name;
  }
  return best;
}

}  // namespace ridgeline
