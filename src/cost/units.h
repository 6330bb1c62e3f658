// Times, bytes and rates as people read them: three digits and a unit.
#pragma once
#include <string>

namespace ridgeline {

std::string time_text(double seconds);                          // "4.52 ms", "148 ms", "17.1 us", "2.05 s"
std::string bytes_text(double bytes);                           // "16.1 GB": decimal, as makers of memory count
std::string rate_text(double per_second, std::string_view of);  // "8,877 tok/s", "12.3 tok/s"
std::string figures(double x, int digits = 3);  // 3 significant digits, thousands grouped: "0.0321", "1.03", "8,877"

}  // namespace ridgeline
