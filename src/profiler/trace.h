// Steps as a timeline that ui.perfetto.dev and chrome://tracing show: one track of steps, and one a worker with its ops and
// its waiting. (Trace Event Format, "X" events: complete, with a duration.)
#pragma once
#include <string>

#include "profiler/profile.h"

namespace ridgeline {

// Of Profile::trace. An op's args: flops, bytes, layer (-1: none), kernels. Times are in microseconds from the first step.
std::string trace_json(const Profile&);

}  // namespace ridgeline
