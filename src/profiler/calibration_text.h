// A measured machine as people and programs read it.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "profiler/calibration.h"

namespace ridgeline {

// The answer in a line, what it means, and the table behind it.
std::string calibration_text(const Calibration&);
// "hardware": as hardware files have it; beside it what they have no place for, and each sample.
nlohmann::ordered_json calibration_json(const Calibration&);

}  // namespace ridgeline
