// One kind of fusion, and how it is put in. The fuse pass (passes.h) runs all of them.
#pragma once
#include <string_view>

#include "ops/fused.h"

namespace ridgeline {

struct Fusion {
  std::string_view name;
  std::function<std::optional<Found>(const Program&, const Uses&, const Node&)> match;  // asked at each node
};

// Puts a fused op wherever match() guesses one and its expansion is what the program computes there. A guess that is
// wrong, or that would hide a value wanted elsewhere, is passed over.
Program fuse_one(const Program&, const Fusion&);

}  // namespace ridgeline
