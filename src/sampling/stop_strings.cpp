#include "sampling/stop_strings.h"

#include <algorithm>
#include <utility>

namespace ridgeline {

StopStrings::StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {
  std::erase_if(stops_, [](const std::string& s) { return s.empty(); });
}

std::string StopStrings::push(std::string_view text) {
  if (stopped_) return {};
  held_ += text;
  std::pair<size_t, size_t> first = {held_.npos, 0};  // end and beginning of the one that is complete first
  for (const auto& s : stops_)
    if (size_t at = held_.find(s); at != held_.npos) first = std::min(first, {at + s.size(), at});
  if (first.first != held_.npos) {
    stopped_ = true;
    std::string shown = held_.substr(0, first.second);
    held_.clear();
    return shown;
  }
  size_t keep = 0;  // the longest tail that begins a stop string
  for (const auto& s : stops_)
    for (size_t n = std::min(s.size() - 1, held_.size()); n > keep; --n)
      if (std::string_view(held_).ends_with(std::string_view(s).substr(0, n))) keep = n;
  std::string shown = held_.substr(0, held_.size() - keep);
  held_.erase(0, held_.size() - keep);
  return shown;
}

std::string StopStrings::rest() { return stopped_ ? std::string() : std::exchange(held_, {}); }

}  // namespace ridgeline
