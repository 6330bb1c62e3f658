// Serving measured elsewhere, as a table to hold predictions against: one row a run of an engine under a constant number of
// requests. The format is CSV with the columns of the files that NVIDIA's AIConfigurator publishes with its measurements:
// backend, model_path, precision ("" is bf16, or fp8), isl, osl (tokens of prompt and answer), batch_size (requests),
// tp_size, silicon_tpot_ms; others are ignored.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "planner/serving.h"

namespace ridgeline {

struct ServingSample {
  std::string engine, model;  // "vllm"; a name of the catalogue
  bool fp8 = false;
  // The files do not say. Runs of Llama 3.1 70B in fp8 are taken to have an fp8 cache, as the checkpoints have that its maker's
  // engines are given: some would not have fitted otherwise (docs/prediction.md).
  bool fp8_kv = false;
  int tensor = 1;
  ServingLoad load;
  double tpot = 0;  // seconds, measured
};
// Throws Error (bad_data, "serving_samples") naming the line. Rows of models that the catalogue lacks are left out.
std::vector<ServingSample> parse_serving_samples(std::string_view csv);

// How such a run is deployed on a machine.
Situation situation_of(const ServingSample&, const Hardware&);

// Rows that no constant is fitted on: whole levels of concurrency and of tensor parallelism.
inline bool is_held_out(const ServingSample& s) { return s.load.concurrency == 64 || s.tensor == 4; }

// Errors of predictions: predicted / measured - 1.
struct ErrorSummary {
  size_t count = 0;
  double mean_absolute = 0, median_absolute = 0, p90_absolute = 0, bias = 0;
};
ErrorSummary summarize(std::vector<double> errors);

}  // namespace ridgeline
