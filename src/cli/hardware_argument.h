// What --hw means on the command line.
#pragma once
#include <string>

#include "cost/hardware.h"

namespace ridgeline {

// A machine of the catalogue by name or alias, or a hardware file. Throws what hardware_named and parse_hardware throw.
Hardware hardware_argument(const std::string& text);

}  // namespace ridgeline
