// Serving in a steady state: so many requests are always there, each of a prompt and an answer, and a prompt is computed beside
// the answers of the others, as continuous batching does (Orca, OSDI 2022).
#pragma once
#include <functional>

#include "planner/answers.h"

namespace ridgeline {

struct ServingLoad {
  int64_t concurrency = 1, prompt = 1024, answer = 256;  // requests; tokens
};
struct ServingPoint {
  ServingLoad load;
  double decoding = 0;  // requests that decode at a time, on average; the others' prompts are being computed
  double ttft = 0;      // seconds from a request's turn to its first token: its prompt beside the decoding ones
  double tpot = 0;      // seconds a token after that
  double tokens_per_second = 0;  // of answers, of one copy
};

// Seconds of a step of so many decoding requests, each half way through its answer, beside a prompt or not.
using ServingStep = std::function<double(int64_t decoding, bool prompt)>;

// The fixed point of: decoding = concurrency * answer * tpot / (ttft + answer * tpot), where tpot is a step of that many plus
// what the others' prompts add to it; `interference` is the fraction of that which it really waits.
ServingPoint serving_point(const ServingLoad&, const ServingStep&, double interference = 1);
// On a deployment; interference as its hardware's efficiency says.
ServingPoint serving_point(const Deployment&, const ServingLoad&, Times);

// The batch of such a step.
BatchShape serving_batch(const ServingLoad&, int64_t decoding, bool prompt);

}  // namespace ridgeline
