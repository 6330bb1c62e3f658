// A profile for people, answer first, and as JSON under stable keys.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "profiler/profile.h"

namespace ridgeline {

std::string profile_text(const Profile&);
// format, model, weights, batch, computed_batch, threads, limits, step, barriers, sampling, unexplained, families, kinds, ops,
// opportunities. Times are in seconds, work in FLOPs and bytes.
nlohmann::ordered_json profile_json(const Profile&);
inline constexpr auto profile_format = "ridgeline-profile-1";

}  // namespace ridgeline
