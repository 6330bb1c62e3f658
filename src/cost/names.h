// What values are called where a program is shown op by op: as a paper would call them.
#pragma once
#include "program/program.h"

namespace ridgeline {

// Names by value id. A weight or state of a layer goes by its last part: W.q, k_cache. A computed value goes by its
// plain name, each new x taking the place of the last, but where an older one is still used later: those keep their
// version (x.1).
std::vector<std::string> program_names(const Program&);

// "q, k, v = linears(h, W.q, W.k, W.v)": without attributes, and without the indices that only say where rows lie.
std::string brief_text(const Program&, const Node&, const std::vector<std::string>& names);

}  // namespace ridgeline
