#include "chart/labels.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace ridgeline {
namespace {

double side_of(const Segment& s, Point p) {
  return (s.to.x - s.from.x) * (p.y - s.from.y) - (s.to.y - s.from.y) * (p.x - s.from.x);
}
bool holds(const Box& b, Point p) { return p.x > b.left && p.x < b.right && p.y > b.top && p.y < b.bottom; }

Point nearest(const Box& b, Point p) { return {std::clamp(p.x, b.left, b.right), std::clamp(p.y, b.top, b.bottom)}; }

// Directions, the best first: where a European reader looks for a name. y is downwards.
constexpr auto directions = std::to_array<Point>({{1, 0},
                                                  {.92, .38},
                                                  {.71, .71},
                                                  {.92, -.38},
                                                  {0, 1},
                                                  {.38, .92},
                                                  {-.38, .92},
                                                  {-1, 0},
                                                  {-.92, -.38},
                                                  {-.71, -.71},
                                                  {-.92, .38},
                                                  {-.71, .71},
                                                  {0, -1},
                                                  {.71, -.71},
                                                  {.38, -.92},
                                                  {-.38, -.92}});
constexpr double distances[] = {3, 8, 14, 22, 32, 44, 58, 74, 92, 112, 136, 164};
constexpr double leader_from = 12;  // pixels; nearer than that a name is seen to belong to its point

struct Candidate {
  LabelPlace place;
  double cost;
};

}  // namespace

bool Segment::crosses(const Segment& o) const {
  return side_of(*this, o.from) * side_of(*this, o.to) < 0 && side_of(o, from) * side_of(o, to) < 0;
}

bool Segment::crosses(const Box& b) const {
  if (holds(b, from) || holds(b, to)) return true;
  Segment falling{{b.left, b.top}, {b.right, b.bottom}}, rising{{b.left, b.bottom}, {b.right, b.top}};
  return crosses(falling) || crosses(rising);
}

std::vector<std::optional<LabelPlace>> place_labels(std::span<const LabelWish> wishes, const Box& within,
                                                    std::span<const Box> taken, std::span<const Segment> lines) {
  std::vector<std::optional<LabelPlace>> places;
  std::vector<Box> full(taken.begin(), taken.end());
  std::vector<Segment> leaders;
  std::vector<Box> names;
  for (const LabelWish& w : wishes) {
    std::optional<Candidate> best;
    for (double distance : distances)
      for (size_t i = 0; i < directions.size(); ++i) {
        Point d = directions[i];
        double out = w.gap + distance;
        Point middle{w.at.x + d.x * out + std::clamp(d.x * 1.6, -1.0, 1.0) * w.width / 2,
                     w.at.y + d.y * out + std::clamp(d.y * 1.6, -1.0, 1.0) * w.height / 2};
        Box box{middle.x - w.width / 2, middle.y - w.height / 2, middle.x + w.width / 2, middle.y + w.height / 2};
        Segment leader{w.at, nearest(box, w.at)};
        if (!within.contains(box)) continue;
        auto covers = [&](const Box& b) { return box.overlaps(b); };
        if (std::ranges::any_of(full, covers) || std::ranges::any_of(names, covers)) continue;
        if (std::ranges::any_of(leaders, [&](const Segment& l) { return l.crosses(box); })) continue;
        if (std::ranges::any_of(names, [&](const Box& b) { return leader.crosses(b); })) continue;
        double cost = distance + 0.6 * static_cast<double>(i);
        for (const Segment& l : lines) cost += (l.crosses(box) ? 60 : 0) + (distance > 20 && l.crosses(leader) ? 6 : 0);
        for (const Box& b : full)
          if (distance >= leader_from && !holds(b, w.at) && leader.crosses(b)) cost += 30;
        for (const Segment& l : leaders) cost += l.crosses(leader) ? 80 : 0;
        if (best && best->cost <= cost) continue;
        LabelPlace place{box, {}};
        if (distance >= leader_from) {
          double length = std::hypot(leader.to.x - w.at.x, leader.to.y - w.at.y);
          double part = std::min(1.0, w.gap / std::max(length, 1e-9));
          place.leader =
              Segment{{w.at.x + (leader.to.x - w.at.x) * part, w.at.y + (leader.to.y - w.at.y) * part}, leader.to};
        }
        best = {place, cost};
      }
    if (!best) {
      places.emplace_back();
      continue;
    }
    names.push_back(best->place.box);
    if (best->place.leader) leaders.push_back(*best->place.leader);
    places.emplace_back(best->place);
  }
  return places;
}

}  // namespace ridgeline
