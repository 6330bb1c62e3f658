// A token made more or less probable by hand.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace ridgeline {

struct LogitBias {
  int32_t token = 0;
  float bias = 0;  // added to its logit; -infinity: never chosen
  friend bool operator==(const LogitBias&, const LogitBias&) = default;
};

// "15043+1", "15043-2.5", "15043=1"; "15043-inf" and "15043=ban" for never. Throws Error (usage, "bad_sampling") for any other
// text, and for a bias outside -100 to 100.
LogitBias read_logit_bias(std::string_view text);
std::string text_of(const LogitBias&);  // as the above reads it

}  // namespace ridgeline
