// Serving in a steady state: so many requests are always there, each of a prompt and an answer, and a prompt is computed beside
// the answers of the others, as continuous batching does (Orca, OSDI 2022).
#pragma once
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
// The fixed point of: decoding = concurrency * answer * tpot / (ttft + answer * tpot), where tpot is a step of that many plus
// the share of it that other requests' prompts add.
ServingPoint serving_point(const Deployment&, const ServingLoad&, Times);

}  // namespace ridgeline
