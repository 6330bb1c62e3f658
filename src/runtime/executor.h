// Runs a program: one step over a ragged batch at a time, one parallel region per step. Which kernel serves each op is decided
// once, at construction, and can be printed: there is no silent slow path.
#pragma once
#include <map>
#include <span>

#include "base/team.h"
#include "kernels/kernel_set.h"
#include "program/memory_plan.h"
#include "runtime/kv_memory.h"
#include "runtime/weights.h"

namespace ridgeline {

class OpTimer;

// One sequence of a step.
struct StepSequence {
  std::span<const int32_t> tokens;       // the new tokens: at least one
  int64_t cached = 0;                    // positions already in the cache; must be 0 where the program has none
  std::span<const int32_t> blocks = {};  // with a cache: room for cached + tokens.size() positions
  int64_t logit_rows = 1;                // logits of how many of its last tokens
};

// Logits of the rows asked for, sequence by sequence. Valid until the next step.
struct Logits {
  const float* data;
  int64_t rows, vocab;
  std::span<const float> row(int64_t r) const { return {data + r * vocab, static_cast<size_t>(vocab)}; }
};

class Executor {
 public:
  // weights: of `program`. kv: its states, where it has a cache. sets: kernel sets to ask, in order; the ops' reference
  // evaluation serves what none of them has.
  Executor(Program program, const Weights& weights, KvMemory* kv, Team& team, std::vector<const KernelSet*> sets);

  // Throws Error (usage) for token ids outside the vocabulary; (internal) for a batch that breaks the rules above.
  Logits step(std::span<const StepSequence> sequences);

  // Steps from now on are timed, op by op; nullptr: they are not. The timer is of this program's nodes and team's size, and must
  // outlive the steps. What a step computes is the same, to the bit.
  void time_ops(OpTimer* timer);

  // Per kind of op and types: how many there are, and the set that serves them ("reference": none has a native cell).
  struct Served {
    std::string op, types, set;
    int count;
  };
  std::vector<Served> served() const;
  const Program& program() const { return program_; }
  int64_t arena_bytes() const { return static_cast<int64_t>(arena_.size()); }

 private:
  struct Call {
    const Node* node;
    const Cell* cell;  // nullptr: reference evaluation
    const KernelSet* set;
    // The weight matrices of the next op that has any: fetched while a worker waits.
    std::vector<std::span<const std::byte>> ahead = {};
  };
  void look_ahead();
  void gather_inputs(std::span<const StepSequence>);
  void place_values(const BatchShape&);
  void check(std::span<const StepSequence>) const;

  Program program_;
  Team& team_;
  OpTimer* timer_ = nullptr;
  std::vector<Call> calls_;
  std::vector<Tensor> values_;  // by value id
  std::map<std::string, std::vector<int32_t>> inputs_;
  std::vector<Symbol> symbols_;      // that sizes of computed values depend on
  std::vector<int64_t> placed_for_;  // their values when place_values last ran
  LargeMemory arena_;
  int64_t vocab_ = 0, position_limit_ = INT64_MAX;
  bool selected_;
  std::vector<float> picked_;  // wanted rows, where the program makes them all
};

}  // namespace ridgeline
