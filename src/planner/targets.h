// Inverse questions: what it would take. Each is a search over steps of a deployment, and every answer can be checked by
// asking for that step.
#pragma once
#include "planner/answers.h"

namespace ridgeline {

// The greatest batch of one copy whose decode step takes at most `seconds`, keys and values included; 0: not even one.
struct BatchForTpot {
  double seconds = 0;
  int64_t by_time = 0, by_memory = 0;
  int64_t sequences() const { return std::min(by_time, by_memory); }
  DecodePoint at;  // of sequences()
};
BatchForTpot batch_for_tpot(const Deployment&, double seconds, int64_t context, Times);

// What makes one sequence decode at `rate` tokens/s: nothing, or the memory bandwidth at which it would, all else as it is;
// and how many devices split by tensor parallelism reach it.
struct ForRate {
  double rate = 0, now = 0;    // tokens/s
  double bandwidth = 0;        // B/s that would be needed; INFINITY: bytes are not what limits it
  double bits = 0;             // a weight, in the layers, at which this machine reaches it; 0: not even at one bit
  std::optional<int> devices;  // none: not by splitting
};
ForRate for_rate(const Situation&, double rate, int64_t context, Times);

// The ways in which a model fits: weight type by number of devices, and the context one sequence then has at most.
struct Fit {
  std::string type;
  int devices = 1;  // tensor parallel, the least that is enough; 0: none tried is
  DeviceMemory memory;
  int64_t context = 0;  // of one sequence, at most the model's
};
std::vector<Fit> ways_to_fit(const Situation&, int64_t context, int most_devices = 64);

}  // namespace ridgeline
