// When each op of a step ended, worker by worker: two timestamps an op, written by each worker into memory of its own. An
// executor without a timer takes none.
#pragma once
#include <x86intrin.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace ridgeline {

// A clock that costs about twenty cycles: the processor's time stamp counter, where that ticks evenly and alike on all cores;
// else the steady clock, in nanoseconds.
class TickClock {
 public:
  static int64_t now() { return counts_ ? static_cast<int64_t>(__rdtsc()) : steady(); }

  TickClock() : steady_(steady()), ticks_(now()) {}
  // Measured against the steady clock since construction: the longer ago, the more exact. 10 ms give four digits.
  double seconds_per_tick() const;

 private:
  static int64_t steady() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  static bool counter_is_even();
  static inline const bool counts_ = counter_is_even();
  int64_t steady_, ticks_;
};

class OpTimer {
 public:
  struct Stamp {
    int64_t ended = 0;   // ticks: when the worker's own work of the op ended
    int64_t passed = 0;  // when it passed the barrier after it; 0: the step left the op out
  };

  // What one worker wrote.
  class alignas(64) Track {  // a cache line of its own, as its stamps have
   public:
    void begin() {
      for (Stamp& s : stamps_) s = {};
      began_ = TickClock::now();
    }
    void ended(size_t op) { stamps_[op].ended = TickClock::now(); }
    void passed(size_t op) { stamps_[op].passed = TickClock::now(); }

    int64_t began() const { return began_; }  // ticks: when it entered the step
    const Stamp& operator[](size_t op) const { return stamps_[op]; }

   private:
    friend class OpTimer;
    int64_t began_ = 0;
    std::vector<Stamp> stamps_;
  };

  // For a program of `ops` nodes, run by `workers` threads.
  OpTimer(size_t ops, int workers) : ops_(ops), tracks_(static_cast<size_t>(workers)) {
    constexpr size_t line = 64 / sizeof(Stamp);  // behind the last, so that no two workers write to one
    for (Track& t : tracks_) t.stamps_.resize(ops + line);
  }
  size_t ops() const { return ops_; }
  std::span<const Track> tracks() const { return tracks_; }  // by worker
  Track& track(int worker) { return tracks_[static_cast<size_t>(worker)]; }

 private:
  size_t ops_;
  std::vector<Track> tracks_;
};

}  // namespace ridgeline
