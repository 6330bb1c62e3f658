// How long a thing takes that a whole team does together, again and again.
#pragma once
#include <chrono>

#include "base/team.h"

namespace ridgeline {

inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Seconds that one body(worker, i) takes with the barrier after it, i = 0, 1, ...: repeated inside one region until `seconds`
// are over, at least `between` times; so often it looks at the clock.
template <class Body>
double seconds_each(Team& team, double seconds, long between, Body body) {
  // Two flags, used in turn: worker 0 may be at the next look before another has seen the answer of the last.
  bool over[2] = {};
  long done = 0;
  double start = seconds_now();
  team.run([&](Worker& w) {
    for (long look = 0; !over[(look + 1) & 1]; ++look)
      for (long n = 0, i = look * between; n < between; ++n, ++i) {
        body(w, i);
        if (n + 1 == between && w.index() == 0) done = i + 1, over[look & 1] = !(seconds_now() - start < seconds);
        w.barrier();
      }
  });
  return (seconds_now() - start) / static_cast<double>(done);
}

}  // namespace ridgeline
