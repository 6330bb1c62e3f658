#include "runtime/op_timer.h"

#include <cpuid.h>

namespace ridgeline {

// Invariant: the counter runs at one rate through every state of the processor (AMD64 Architecture Programmer's Manual volume 3,
// function 8000_0007h; Intel SDM volume 3, 18.17.1). Linux keeps the cores' counters in step where it has that.
bool TickClock::counter_is_even() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d >> 8 & 1);
}

double TickClock::seconds_per_tick() const {
  if (!counts_) return 1e-9;
  int64_t nanoseconds = 0, ticks = 0;
  while (nanoseconds < 1'000'000) nanoseconds = steady() - steady_, ticks = now() - ticks_;
  return static_cast<double>(nanoseconds) * 1e-9 / static_cast<double>(ticks);
}

}  // namespace ridgeline
