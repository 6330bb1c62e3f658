// The questions that a plan answers about one deployment; each is a few steps of it, costed. Times in seconds.
#pragma once
#include <span>

#include "planner/deployment.h"

namespace ridgeline {

struct TimePair {
  double ideal = 0, calibrated = 0;
  double of(Times which) const { return which == Times::ideal ? ideal : calibrated; }
};
TimePair times_of(const Deployment&, const BatchShape&);

// --- Decode over batch --------------------------------------------------------------------------------------------

struct DecodePoint {
  int64_t sequences = 0;  // of one copy, each with one new token on `context` cached
  TimePair step;
  Limit limit = Limit::memory;
  bool fits = false;  // their keys and values
  double intensity = 0;
  double tokens_per_second(Times which) const { return static_cast<double>(sequences) / step.of(which); }
};
DecodePoint decode_point(const Deployment&, int64_t sequences, int64_t context);
std::vector<DecodePoint> decode_curve(const Deployment&, int64_t context, std::span<const int64_t> sequences);

// What intensity batching tends to when each sequence brings its own keys and values: FLOP of one more token over the KV
// bytes it reads. Below `compute_bound_below` tokens of context, the new one included, a large enough batch is limited by compute; above it none is.
struct BatchingCeiling {
  double flops_per_token = 0, kv_bytes = 0;  // at this context
  double intensity = 0, ridge = 0;
  int64_t compute_bound_below = 0;
};
BatchingCeiling batching_ceiling(const Deployment&, int64_t context);

// --- Weights in fewer bits ----------------------------------------------------------------------------------------

// Weight-only quantization: the matrices of the layers in fewer bits, computed in the activations' type. It saves bytes, so
// it helps while a step is limited by them: to peak / bandwidth * bytes a weight / 2 tokens a step.
struct WeightOnly {
  std::string name;
  double bits = 16;       // a weight, scales and zero points included
  TimePair decode;        // one sequence
  double break_even = 0;  // tokens a step
};
std::vector<WeightOnly> weight_only(const Situation&, int64_t context);

// --- The program written otherwise --------------------------------------------------------------------------------

struct Variant {
  std::string name, step;  // "attention as in the textbook", "prefill of 8,192"
  TimePair time, plain;    // of the variant, and of the program as it is
  int64_t bytes = 0, plain_bytes = 0, flops = 0, plain_flops = 0;
};
// Naive for flash attention, unfused for fused, without KV cache for with it.
std::vector<Variant> variants(const Deployment&, int64_t context, int64_t prompt);

// --- Split among devices ------------------------------------------------------------------------------------------

struct Split {
  int tensor = 1, pipeline = 1;
  DeviceMemory memory;
  TimePair decode, prefill;                // of one copy: a token after `context`, a prompt
  double link_share = 0;                   // of the calibrated decode step, on links
  double hop_bytes = 0, reduce_bytes = 0;  // a decode step: passed between stages, sent by each device in collectives
};
// Powers of two up to `most` devices, as tensor and as pipeline parallel, where the model can be split so.
std::vector<Split> splits(const Situation&, int64_t context, int64_t prompt, int most);

}  // namespace ridgeline
