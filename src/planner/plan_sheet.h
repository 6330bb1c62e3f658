// The numbers of a plan as a sheet: each can say its formula, its inputs, where those come from, and what it is sensitive to.
#pragma once
#include "planner/plan.h"
#include "planner/sheet.h"

namespace ridgeline {

// Quantities by name: hardware.* and efficiency.* (of the machine), model.* (of the program that one device runs), situation.*,
// memory.*, kv.*, decode.* (one sequence), decode.N.* (N together), prefill.*, batching.*, weights.*.
Sheet plan_sheet(const Plan&);

}  // namespace ridgeline
