// The step that is profiled: its sequences on an open model, their caches filled by real steps.
#pragma once
#include "instance/instance.h"

namespace ridgeline {

class ProfiledBatch {
 public:
  // Throws Error (unavailable, "context_full") where the sequences do not fit the cache; what Executor::step throws.
  ProfiledBatch(Instance&, const BatchShape&);
  ProfiledBatch(const ProfiledBatch&) = delete;

  // The same step every time: the new tokens take the places they had.
  Logits step() { return model_.executor().step(sequences_); }

 private:
  void fill_cache(const StepSequence&);
  Instance& model_;
  std::vector<int32_t> tokens_;     // of all sequences, cached and new
  std::vector<BlockTable> tables_;  // by sequence; none without a cache
  std::vector<StepSequence> sequences_;
};

}  // namespace ridgeline
