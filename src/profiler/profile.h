// A model's step timed op by op, beside what the roofline says it takes at the limits of this machine, which are measured in
// bursts between the steps: what other programs do to the machine then happens to both.
#pragma once
#include <optional>

#include "cost/roofline.h"
#include "instance/instance.h"
#include "runtime/op_timer.h"

namespace ridgeline {

struct ProfileOptions {
  BatchShape batch;                       // the step that is repeated
  int repetitions = 5;                    // rounds of about 100 ms of steps, or one step, between bursts of the limits
  std::optional<Hardware> hardware = {};  // none: its limits are measured
  int traced_steps = 0;                   // of the last round: kept with all their timestamps
};

// Seconds of one op. The time between two barriers is `measured` and `barrier` together.
struct OpProfile {
  double ideal = 0, predicted = 0;  // of the roofline; predicted: with the efficiencies of a hardware file
  double measured = 0;              // from the barrier before it until the last worker had done its part
  double waiting = 0;               // of which a worker waited for the last one, on average
  double barrier = 0;               // from then until the first worker passed the barrier after it
};

// A step with the timestamps of every op on every worker, in ticks.
struct TracedStep {
  int64_t start, computed, end;  // computed: the logits are there, and tokens are chosen
  OpTimer timer;
};

// Times are means over steps, so that they add up: the middle half, by how near each came to the roof of its moment, of those
// during which the system took no processor away; where fewer than eight are left, the best quarter of all.
// step = measured and barrier of all ops + sampling + unexplained.
struct Profile {
  std::string model;
  BatchShape batch;  // as asked
  Program program;
  std::vector<std::string> sets;  // by node: the kernel set that serves it; "reference": none has a native cell
  int threads = 1;
  Hardware hardware;           // what the roofline was made of: medians, where measured in bursts
  bool limits_in_run = false;  // they were
  StepCost cost;               // what `explain` says

  std::vector<OpProfile> ops;  // by node
  std::vector<Limit> limits;   // by node
  int64_t barriers = 0;        // of a step
  double step = 0;             // seconds, tokens chosen included
  double sampling = 0;         // choosing the most probable token of each row of logits
  double unexplained = 0;      // inputs, places of values, waking the team, and letting it go
  double ideal = 0;            // of the roofline
  std::optional<double> predicted = {};

  int steps = 0, used = 0;  // timed, and what the times are means of
  int displaced = 0;        // of those timed: the system took a processor away meanwhile
  int left_out = 0;         // of those timed: for that reason; 0 or `displaced`
  // What timing adds to a step, as a fraction: median and quartiles over pairs of steps with and without.
  int pairs = 0;
  double observing = 0, observing_low = 0, observing_high = 0;
  std::vector<TracedStep> trace = {};
  double seconds_per_tick = 0;

  double in_ops() const;       // seconds: of all ops, measured
  double in_barriers() const;  // seconds
  double of_roof() const { return step > 0 ? ideal / step : 0; }
};

// Tokens of KV cache that a step needs, in whole blocks.
int64_t cache_tokens(const BatchShape&);

// Fills the cache with steps of random tokens, then measures. Throws Error (unavailable, "context_full") where the batch does not
// fit the instance's context; what Executor::step throws; (usage, "other_machine") for hardware that runs no such program.
Profile profile(Instance&, const ProfileOptions&);

}  // namespace ridgeline
