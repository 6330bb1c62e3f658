// What --hw means on the command line.
#pragma once
#include <string>

#include "cost/hardware.h"

namespace ridgeline {

// A machine of the catalogue by name or alias, a hardware file, or "here": what `calibrate` measured of this machine, with a
// note on stderr of how old it is. Throws what hardware_named, parse_hardware and load_calibration throw.
Hardware hardware_argument(const std::string& text);

}  // namespace ridgeline
