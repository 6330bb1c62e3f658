// A model on devices of one kind: what a step takes there, and what there is room for. Everything asked of a plan is asked of
// this, and this asks the program that would run.
#pragma once
#include "cost/roofline.h"
#include "models/catalogue.h"
#include "passes/passes.h"

namespace ridgeline {

// What is deployed, and how.
struct Situation {
  std::string model;
  ModelConfig config;
  PipelineOptions passes;  // types of weights and KV cache; passes left out
  Hardware hardware;
  // Devices: `tensor` split each matrix, `pipeline` stages hold the layers, `data` copies of that serve side by side.
  int tensor = 1, pipeline = 1, data = 1;
  std::optional<Arithmetic> math = {};  // of matrix products; none: RooflineOptions says
  // Bits of a weight in the matrices of the layers, for types that no program here has (fp8); none: as the types say.
  std::optional<double> weight_bits = {};
  std::optional<double> kv_bits = {};  // the same of the KV cache
  // Fraction of a device's memory for weights and KV cache. What is left is for activations, workspace and the runtime.
  double memory_use = 0.9;
  int devices() const { return tensor * pipeline * data; }
};

// Which times: as the machine's figures say, or with what real kernels make of them (Hardware::efficiency).
enum class Times : uint8_t { ideal, calibrated };

// Bytes of the device that holds the most.
struct DeviceMemory {
  int64_t capacity = 0, budget = 0;
  int64_t weights = 0;
  int64_t activations = 0;   // peak of a step of `step_tokens` tokens
  int64_t kv_per_token = 0;  // 0: the program has no KV cache
  int64_t free = 0;          // for KV; negative: the weights alone are too many
  bool fits() const { return free >= 0; }
  // Tokens whose keys and values fit, of all sequences together; INT64_MAX where a token takes nothing.
  int64_t kv_tokens() const;
};

class Deployment {
 public:
  // Tokens computed in one step at most: what activations are sized for.
  static constexpr int64_t step_tokens = 2048;

  // Throws Error (usage, "impossible_split") where the model cannot be split so.
  explicit Deployment(Situation);

  const Situation& situation() const { return situation_; }
  const Hardware& hardware() const { return situation_.hardware; }
  // What one device of a tensor-parallel group computes, through all layers.
  const Roofline& rank() const { return *rank_; }
  const Program& program() const { return rank_->program(); }
  int64_t parameters() const { return parameters_; }  // of the whole model
  int64_t context() const { return context_of(situation_.config); }

  // What most of its matrix products are computed in.
  Arithmetic math() const { return math_; }

  // The time of a step of one copy, from its first token in to its last logits out: all stages, one after the other.
  StepTime step(const BatchShape& batch) const { return rank_->at(batch); }
  double seconds(const BatchShape& batch, Times which) const { return seconds(*rank_, batch, which); }
  // The same with another machine under the same program.
  double seconds(const Roofline&, const BatchShape&, Times) const;
  // One sequence: `fresh` new tokens on `cached`; `sequences` of them side by side.
  static BatchShape alike(int64_t sequences, int64_t fresh, int64_t cached);

  const DeviceMemory& memory() const { return memory_; }
  // Sequences of `tokens` that fit on one copy: each with room for all of them from the start, or in blocks of
  // `block` tokens as they grow, a half block empty on average (vLLM, arXiv 2309.06180, section 3).
  int64_t contiguous_sequences(int64_t tokens) const;
  int64_t paged_sequences(double mean_tokens, int64_t block = 16) const;

 private:
  DeviceMemory measure() const;

  Situation situation_;
  int64_t parameters_ = 0;
  Arithmetic math_ = Arithmetic::bf16;
  std::optional<Roofline> rank_;
  DeviceMemory memory_;
};

}  // namespace ridgeline
