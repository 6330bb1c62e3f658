// Watches generated text for stop strings, and holds back what may become one. Of several, the one that is complete first ends
// the text (of those that end together, the longest), however the text arrives.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline {

class StopStrings {
 public:
  explicit StopStrings(std::vector<std::string> stops);  // empty strings are ignored
  // Adds text; returns what may be shown: everything before a stop string, without a tail that begins one.
  std::string push(std::string_view text);
  bool stopped() const { return stopped_; }  // a stop string was found; it and all after it are dropped
  std::string rest();                        // what was held back, once nothing more comes

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace ridgeline
