// Shows a program op by op with what each op costs for one batch, and what a pass buys. Text is for people, with the
// answer first; JSON has the same numbers under stable keys.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "passes/passes.h"

namespace ridgeline {

// all: every layer, also where layers are alike. on: a machine, for this stage's program; then each op has its roof and time
// there, and bytes are those of values as the machine stores them.
class Roofline;
std::string explain(const Stage&, const BatchShape&, bool all = false, const Roofline* on = nullptr);
// The table alone, of a step on a machine.
struct StepTime;
std::string op_table(const Program&, const StepTime&, bool all = false);
// model, params, weights, batch, after, totals and formulas (nine keys: total_rows()), step, memory, ops. on: as above; then
// `hardware`, and of the step and each op its limit, its ideal time and the calibrated one, in seconds.
nlohmann::ordered_json explain_json(const Stage&, const BatchShape&, const Roofline* on = nullptr);

// The nine counts for one batch.
struct Totals;
nlohmann::ordered_json totals_json(const Totals&, const BatchShape&);

// Ops, bytes and FLOPs of two stages of one model, per kind of op and in total, and the memory they need.
std::string difference(const Stage& before, const Stage& after, const BatchShape&);
// model, batch, before and after (pass, ops, flops, bytes, peak_activation_bytes, totals), by_op.
nlohmann::ordered_json difference_json(const Stage& before, const Stage& after, const BatchShape&);

// What each pass of a pipeline left: ops, bytes and FLOPs of the step, and how long the pass itself took.
std::string stage_table(const std::vector<Stage>&, const BatchShape&);
nlohmann::ordered_json stages_json(const std::vector<Stage>&, const BatchShape&);

// "65 sequences: 64 with 1 new token on 1,000 cached, 1 with 512 on 512"
std::string words(const BatchShape&);
// Says so, in a line, where a stage has no KV cache and must compute cached tokens again; else "".
std::string recomputation_note(const Stage&, const BatchShape&);
// "8.03 B", "134.5 M"
std::string parameter_text(int64_t parameters);
// The types of a program's weight matrices: "bf16", "f32 + q4_1".
std::string weight_types(const Program&);

}  // namespace ridgeline
