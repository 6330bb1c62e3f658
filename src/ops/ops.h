// Every op, and the list of them that the tests walk.
#pragma once
#include <tuple>

#include "ops/append.h"
#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/fused.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/pairs.h"
#include "ops/quantize.h"
#include "ops/rope.h"
#include "ops/select_rows.h"
#include "ops/soft_cap.h"

namespace ridgeline {

using AllOps =
    std::tuple<Add, Scale, SoftCapped, Activation<Silu>, Activation<Gelu>, Activation<GeluErf>, Activation<Relu>,
               Activation<SquaredRelu>, Gated<Silu>, Gated<Gelu>, Gated<GeluErf>, Gated<Relu>, Append, Attention,
               Linear, RmsNorm, LayerNorm, PairDot, PairSoftmax, PairMix, Quantize, Rotations, Rope, SelectRows,
               Linears, LinearGated<Silu>, LinearGated<Gelu>, LinearActivation<Silu>, LinearActivation<Gelu>, LinearAdd,
               RmsNormQuantize, LayerNormQuantize, RopeAppend>;

}  // namespace ridgeline
