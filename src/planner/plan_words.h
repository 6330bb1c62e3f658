// How the answers of a plan write their numbers.
#pragma once
#include "planner/plan.h"

namespace ridgeline {

std::string gb(int64_t bytes);                         // "16.1 GB"
std::string percent(double fraction);                  // "90.0 %"
std::string plural(int64_t n, std::string_view what);  // "1 token", "1,024 tokens"
std::string times_text(double ratio);                  // "3.16x"
// "6.76 ms (4.52 ms at best)": one time where nothing is known of efficiency.
std::string both(const Plan&, const TimePair&);

}  // namespace ridgeline
