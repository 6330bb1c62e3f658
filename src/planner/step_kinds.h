// The ops of a step, those that are alike in all layers taken together, each in the part of the model that it belongs to.
#pragma once
#include "cost/roofline.h"

namespace ridgeline {

// Parts of a transformer, by what the FLOPs of their ops are for.
enum class Component : uint8_t { projections, attention, feed_forward, head, elementwise };
inline constexpr int component_count = 5;
std::string_view name_of(Component);

// By node: matrix products that make what attention takes, or take what it makes, are its projections; other products of the
// layers the feed-forward part; those outside the layers the head. All without products is elementwise.
std::vector<Component> components(const Program&);

struct StepKind {
  std::string text;   // "q, k, v = linears(h, W.q, W.k, W.v)"
  std::string label;  // "q k v": its weight matrices, else the op
  Component component = Component::elementwise;
  int64_t count = 0;  // ops of the step that are so
  OpTime one;
};
// In the order in which they first come.
std::vector<StepKind> step_kinds(const Program&, const StepTime&);

// FLOPs of a step by component; elementwise ones of every op under `elementwise`.
std::array<int64_t, component_count> flops_by_component(const Program&, const StepTime&);

}  // namespace ridgeline
