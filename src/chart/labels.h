// Where to write the names of points so that they cover nothing: no other name, no marker, and lines only where there is no
// better place.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "chart/svg.h"

namespace ridgeline {

struct Segment {
  Point from, to;
  bool crosses(const Box&) const;
  bool crosses(const Segment&) const;
};

struct LabelWish {
  Point at;
  double gap = 4;  // from the point to the edge of its marker
  double width = 0, height = 0;
};
struct LabelPlace {
  Box box;
  std::optional<Segment> leader;  // from the marker's edge to the box, where the two are far apart
};

// A place for each wish inside `within`, in the order given: the first have the choice. None: every place near it is taken.
// taken: boxes that no label may cover; lines: what they should not lie on.
std::vector<std::optional<LabelPlace>> place_labels(std::span<const LabelWish>, const Box& within,
                                                    std::span<const Box> taken, std::span<const Segment> lines);

}  // namespace ridgeline
