#include "models/catalogue.h"

#include <algorithm>
#include <numeric>

namespace ridgeline {
namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t change = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row.back();
}

}  // namespace

const std::vector<CatalogueEntry>& catalogue() {
  static const std::vector<CatalogueEntry> entries = [] {
    std::vector<CatalogueEntry> all;
    for (const Family* family : families()) all.insert(all.end(), family->shapes().begin(), family->shapes().end());
    return all;
  }();
  return entries;
}

const CatalogueEntry* find_in_catalogue(std::string_view name) {
  for (const auto& e : catalogue())
    if (e.name == name) return &e;
  return nullptr;
}

const CatalogueEntry& from_catalogue(std::string_view name) {
  if (const auto* found = find_in_catalogue(name)) return *found;
  std::vector<std::pair<size_t, std::string_view>> near;
  for (const auto& e : catalogue()) near.emplace_back(edit_distance(name, e.name), e.name);
  std::stable_sort(near.begin(), near.end(), [](auto& a, auto& b) { return a.first < b.first; });
  fail(ExitCode::usage, "unknown_model", "no file and no catalogue model is called '{}'; nearest: {}, {}, {}", name,
       near[0].second, near[1].second, near[2].second);
}

}  // namespace ridgeline
