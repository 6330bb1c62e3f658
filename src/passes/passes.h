// Passes: program -> program. Each says what facts about a program it needs and which it must not meet; the pipeline checks
// their order, times them, verifies after each, and can leave any of them out.
#pragma once
#include <map>
#include <optional>
#include <set>

#include "program/program.h"

namespace ridgeline {

// Gives each weight matrix the type that `matrix` says (given its name and present type), and attention the type `kv`.
struct Retype {
  std::function<DType(const std::string& weight, DType now)> matrix;
  std::optional<DType> kv;  // bf16 or f32
};
Program retype(const Program&, const Retype&);

// Computes only the rows of logits that are wanted: the choice moves up through row-wise ops to where two paths meet.
Program select_logit_rows(const Program&);
// Keys and values of earlier tokens come from state instead of being computed again. Same bits, with or without it.
Program insert_kv_cache(const Program&);
// Puts each linear's input into the type its arithmetic wants: q8 for grouped weights, bf16 for bf16 weights. Linears that share
// an input share its conversion. Without this pass linears run on fp32 activations.
Program quantize_activations(const Program&);
// Puts fused ops in place of the ops they stand for. Never changes a bit. disabled: names of fused ops to leave out.
Program fuse(const Program&, const std::set<std::string>& disabled = {});
std::vector<std::string> fusion_names();
// The opposite: every fused op becomes the ops it stands for, and attention its textbook form (which has other rounding).
Program expand(const Program&);

struct Pass {
  std::string name;
  std::vector<std::string> needs, forbids;  // facts
  std::string gives;
  std::function<Program(const Program&)> run;
};

struct PipelineOptions {
  Retype retype;                   // nothing set: the retype pass is left out
  std::set<std::string> disabled;  // names of passes, or of single fusions
  bool textbook = false;           // ends with expand
};
// The passes that make a model runnable, in order.
std::vector<Pass> pipeline(const PipelineOptions&);
// Throws Error (usage) where a name in `disabled` is neither a pass nor a fusion.
void check_names(const std::set<std::string>& disabled);

struct Stage {
  std::string pass;  // "model" for the first
  Program program;
  double seconds;
};
// Runs passes, checking their order and verifying after each. Every stage is kept: explain looks at them.
std::vector<Stage> run_passes(Program model, const std::vector<Pass>& passes);
Program apply(Program model, const PipelineOptions& options);  // the last stage

}  // namespace ridgeline
