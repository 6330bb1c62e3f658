// `run --explain`: prefill and decode as they happen, each beside its roof, and what the next step is predicted to take.
#pragma once
#include "cost/roofline.h"
#include "instance/generate.h"

namespace ridgeline {

class PhaseReport {
 public:
  // Measures the machine's limits first, which takes a fifth of a second.
  explicit PhaseReport(Instance&);

  // Called after each step; writes to stderr: the prompt at once, answers every half a second.
  void add(const StepDone&);
  // What is left to say, and a table of both phases. Where the program has no KV cache: what that cost.
  void finish();

 private:
  struct Phase {
    int64_t tokens = 0;
    double seconds = 0, ideal = 0;
    double of_roof() const { return seconds > 0 ? ideal / seconds : 0; }
  };
  double ideal(const Roofline& roof, const StepDone& step) const;
  void say_prompt(const StepDone&) const;
  void say_answer();
  std::string kv_text() const;

  Instance& model_;
  Hardware limits_;
  Roofline roof_;
  std::optional<Roofline> cached_;   // with a KV cache, where the program has none
  Phase prompt_, answer_, lately_;   // lately: since the last line
  int64_t held_ = 0, computed_ = 0;  // tokens of the conversation; that were computed, again and again without a cache
  double with_cache_ = 0;            // ideal seconds of the answer's steps with one
};

}  // namespace ridgeline
