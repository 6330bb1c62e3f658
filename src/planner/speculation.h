// Speculative decoding (Leviathan et al. 2023, arXiv 2211.17192): a draft model proposes k tokens, the target verifies them in
// one step of k + 1. What it gains depends on what verifying costs at this batch, and on what the draft really takes.
#pragma once
#include "planner/answers.h"

namespace ridgeline {

// Tokens a round yields, where each proposal is accepted with probability a: (1 - a^(k+1)) / (1 - a).
double expected_tokens(double acceptance, int depth);

struct Speculation {
  int64_t sequences = 1;
  double acceptance = 0;
  int depth = 0;           // k
  double tokens = 0;       // a round, of each sequence
  double draft_cost = 0;   // a draft step / a target step, at this batch
  double verify_cost = 0;  // a target step of k + 1 tokens / of 1
  double speedup = 0;      // tokens / (k draft_cost + verify_cost)
};
// Of one depth, by the given times.
Speculation speculate(const Deployment& target, const Deployment& draft, Times, int64_t sequences, int64_t context,
                      double acceptance, int depth);
// The depth from 1 to `most` that gains the most; where none gains, that of 1.
Speculation best_speculation(const Deployment& target, const Deployment& draft, Times, int64_t sequences,
                             int64_t context, double acceptance, int most = 8);

}  // namespace ridgeline
