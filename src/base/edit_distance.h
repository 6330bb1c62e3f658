// How far a misspelt name is from the names there are.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline {

// The least number of characters to insert, delete, replace or swap with their neighbour that makes one text of the other
// (Damerau and Levenshtein, no part edited twice).
size_t edit_distance(std::string_view a, std::string_view b);

// The name that was probably meant: it begins with what was typed, or a third of its letters is wrong
// at most. Empty: none is near.
std::string likely_meant(std::string_view typed, const std::vector<std::string>& names);

}  // namespace ridgeline
