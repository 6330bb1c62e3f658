// Quantities and their reasons as a person reads them, and as a program does.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "planner/sheet.h"

namespace ridgeline {

// "15.01 GB", "4.481 ms", "32 layers", "0.948": four digits, with the prefix that a reader expects.
std::string amount(Number value, std::string_view unit, int digits = 4);
// The same, but a whole number in full, if it is no rate: "15,009,316,864 B".
std::string full_amount(Number value, std::string_view unit, int digits = 4);

// At most 100 columns: the value and what it means, its formula with values put in, its inputs and where they come from, and
// what a per cent more of each input would change.
std::string reason_text(const Sheet::Reason&);
// name, value, unit, meaning, provenance or formula and with_values, inputs (name, depth, value, unit, meaning, provenance or
// formula), functions (name, unit, meaning, provenance), sensitivities (name, percent).
nlohmann::ordered_json reason_json(const Sheet::Reason&);

}  // namespace ridgeline
