// `ridgeline plan`: a model on a machine, in a situation; the answers gathered, and as text and JSON.
#pragma once
#include <memory>

#include "planner/serving.h"
#include "planner/speculation.h"
#include "planner/targets.h"

namespace ridgeline {

struct PlanRequest {
  Situation situation;
  int64_t context = 1000;            // tokens cached, where decode is asked about
  int64_t prompt = 0;                // tokens of the prompt; 0: the model's context, at most 8,192
  ServingLoad load = {.prompt = 0};  // of serving; prompt 0: as above, at most 1,024. Concurrency is that of `batches`
  std::vector<int64_t> batches = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
  BatchShape step;                   // shown op by op; none: one new token on `context`
  std::optional<Situation> draft;    // speculative decoding with it
  std::optional<double> tpot, rate;  // seconds, tokens/s
  bool fit = false;                  // the ways in which it would fit
};

// What Ridgeline itself would hold while it runs the model, in bytes. Known where the model's files are here.
struct EngineNeed {
  int64_t program = 0, vocabulary = 0, weights = 0;  // weights: packed
  int64_t context = 0, prompt = 0;                   // tokens: of the cache, of the prompt
  int64_t kv = 0, kv_without_huge_pages = 0;         // touched when the prompt is answered
  int64_t scratch = 0;                               // values of a step
  int64_t loaded() const { return program + vocabulary + weights; }
  int64_t peak() const { return loaded() + kv + scratch; }
};

struct Plan {
  PlanRequest request;
  std::shared_ptr<const Deployment> deployment;
  Times times = Times::ideal;       // the ones that answers are given in: calibrated where the machine has efficiencies
  DecodePoint alone;                // one sequence
  std::vector<DecodePoint> decode;  // over request.batches
  TimePair prefill;
  StepTime prefill_step;
  StepTime step;   // request.step
  TimePair mixed;  // 32 decoding beside a chunk of 512
  BatchShape mixed_batch;
  BatchingCeiling ceiling;
  std::vector<WeightOnly> weight_only;
  std::vector<Variant> variants;
  std::vector<Split> splits;             // empty: the machine has no link
  std::vector<ServingPoint> serving;     // over concurrency, while it fits
  std::vector<Speculation> speculation;  // best depth, over batch and acceptance
  std::optional<BatchForTpot> for_tpot;
  std::optional<ForRate> for_rate;
  std::vector<Fit> fits;
  std::optional<EngineNeed> engine;  // whoever has the files adds it
};
// Throws Error (usage) for sizes that make no step; what Deployment throws.
Plan make_plan(PlanRequest);

std::string plan_text(const Plan&);
nlohmann::ordered_json plan_json(const Plan&);

}  // namespace ridgeline
