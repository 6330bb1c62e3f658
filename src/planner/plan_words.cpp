#include "planner/plan_words.h"

#include "base/text_table.h"
#include "cost/units.h"

namespace ridgeline {

std::string gb(int64_t bytes) { return bytes_text(static_cast<double>(bytes)); }
std::string percent(double fraction) { return fmt::format("{:.1f} %", 100 * fraction); }
std::string plural(int64_t n, std::string_view what) {
  return fmt::format("{} {}{}", grouped(n), what, n == 1 ? "" : "s");
}
std::string times_text(double ratio) { return figures(ratio) + "x"; }
std::string both(const Plan& p, const TimePair& t) {
  if (p.times == Times::ideal) return time_text(t.ideal);
  return fmt::format("{} ({} at best)", time_text(t.calibrated), time_text(t.ideal));
}

}  // namespace ridgeline
