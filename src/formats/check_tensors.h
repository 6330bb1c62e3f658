// Whether the weights of a model are numbers at all.
#pragma once
#include "formats/checkpoint.h"

namespace ridgeline {

// Reads every tensor whose type computes. Throws Error (bad_data, "not_finite") where an element, or the scale or minimum of a
// block, is a NaN or an infinity, naming the tensor and where in it. Tensors of other types are left out.
void check_tensors(const Checkpoint& model);

}  // namespace ridgeline
