// A profile's ops gathered: into families, as a person thinks of a transformer, and into kinds, as its program has them.
#pragma once
#include "profiler/profile.h"

namespace ridgeline {

enum class OpFamily : uint8_t {
  attention_linear,     // makes what attention reads, or takes what it wrote
  feed_forward_linear,  // every other matrix product of a layer
  head,                 // matrix products outside the layers
  attention,
  kv_cache,
  norm,
  rope,
  quantize,
  rows,  // embedding, and choosing rows
  elementwise
};
std::string_view name_of(OpFamily);  // "feed-forward linear"
// By node. Told from where values flow, not from what weights are called.
std::vector<OpFamily> families_of(const Program&);

// Ops that are shown as one.
struct ProfileRow {
  std::string name;  // of the family, or the op as `explain` shows it: "q = rope(q, turns)"
  OpFamily family;
  std::string set;            // the kernel set of all of them; empty: of several
  std::vector<size_t> nodes;  // ascending
  OpCost cost;
  OpProfile time;
  Limit limit = Limit::memory;  // of the greater part of `ideal`

  double of_roof() const { return time.measured > 0 ? time.ideal / time.measured : 0; }
  double recoverable() const { return time.measured > time.ideal ? time.measured - time.ideal : 0; }
};
// Ops that ran, the slowest row first.
std::vector<ProfileRow> rows_by_family(const Profile&);
// In the order of the program; the same op of several layers is one row.
std::vector<ProfileRow> rows_by_kind(const Profile&);

}  // namespace ridgeline
