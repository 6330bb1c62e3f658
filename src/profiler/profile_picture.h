// Measured ops on the roofline of the machine they ran on.
#pragma once
#include <span>
#include <string>

#include "profiler/profile.h"

namespace ridgeline {

// One group of points a profile, of one model on one machine: each kind of op at the FLOP/s it reached. The roofs are those of the
// first profile.
std::string profile_picture(std::span<const Profile>);

}  // namespace ridgeline
