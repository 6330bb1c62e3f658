// The speed of an open model beside the limits of the machine, taken in turns: what other programs do to the machine
// then happens to both, and their ratio holds still where each of them swings.
#pragma once
#include <string>
#include <vector>

#include "cost/hardware.h"
#include "instance/instance.h"
#include "kernels/ceilings.h"

namespace ridgeline {

// A prompt of `prompt` tokens, or `generate` tokens one by one (the other is 0), after `depth` tokens that are in the
// cache.
struct BenchTest {
  int64_t prompt = 0, generate = 0, depth = 0;
  int64_t batch = prompt_step_tokens;  // tokens of a prompt computed in one step at most
  int64_t tokens() const { return prompt + generate; }
  std::string name() const;  // "pp500", "tg64", "pp500 @ d1024"
};

struct BenchResult {
  BenchTest test;
  std::vector<double> samples;          // tokens/s, one a repetition
  std::vector<double> work;             // per burst of the test: bytes/s read (generate) or operations/s (prompt) ...
  std::vector<double> limit;            // ... what the machine did at best, right before and after it ...
  std::vector<double> fraction;         // ... and the ratio of the two
  ComputeKind kind = ComputeKind::fma;  // of the operations of a prompt
};
double mean(const std::vector<double>&);
double deviation(const std::vector<double>&);  // of a sample: over n - 1
double median(std::vector<double>);            // 0 where there is nothing

// Runs a test `repetitions` times, after a warm-up, with token ids that are always the same. Counted is the time of
// the steps and, in `generate`, of choosing the most probable token; not that of the bursts between. A prompt is one
// burst; generation is cut into bursts of about 100 ms. Throws Error (unavailable, "context_full") where the test
// does not fit the model's context.
BenchResult bench(Instance&, const BenchTest&, int repetitions);

// What a step that computes one token after `cached` others reads: weights and keys and values, in bytes.
int64_t bytes_read_per_token(const Instance&, int64_t cached);
// Bytes/s that plain reads of memory reach now, by the model's own threads. Takes about 200 ms.
double quick_read_limit(Instance&);

// The limits of this moment as a machine, for predictions: bytes/s read, and operations/s of each kind of multiply-add.
// Takes about 200 ms. Its capacity is not measured.
Hardware limits_now(Instance&);

// The instructions that most of a program's multiply-adds are made of: by the type of most of its weights.
ComputeKind compute_kind_of(const Program&);

}  // namespace ridgeline
