#include "models/catalogue.h"

#include <algorithm>

#include "base/edit_distance.h"

namespace ridgeline {

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
