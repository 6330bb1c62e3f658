#include "chart/labels.h"

#include <gtest/gtest.h>

namespace ridgeline {
namespace {

TEST(Segments, CrossBoxesAndOneAnother) {
  Box box{10, 10, 20, 20};
  EXPECT_TRUE((Segment{{0, 0}, {30, 30}}.crosses(box)));
  EXPECT_TRUE((Segment{{12, 12}, {14, 14}}.crosses(box)));
  EXPECT_TRUE((Segment{{0, 15}, {30, 15}}.crosses(box)));
  EXPECT_FALSE((Segment{{0, 0}, {30, 5}}.crosses(box)));
  EXPECT_TRUE((Segment{{0, 0}, {10, 10}}.crosses(Segment{{0, 10}, {10, 0}})));
  EXPECT_FALSE((Segment{{0, 0}, {10, 10}}.crosses(Segment{{0, 10}, {4, 6}})));
}

// What every placement must hold, checked on the boxes themselves. Returns how many names found a place.
int expect_apart(const std::vector<LabelWish>& wishes, const Box& within, const std::vector<Box>& taken,
                 const std::vector<Segment>& lines) {
  auto places = place_labels(wishes, within, taken, lines);
  EXPECT_EQ(places.size(), wishes.size());
  int placed = 0;
  for (size_t i = 0; i < places.size(); ++i) {
    if (!places[i]) continue;
    ++placed;
    EXPECT_TRUE(within.contains(places[i]->box));
    EXPECT_NEAR(places[i]->box.width(), wishes[i].width, 1e-9);
    for (const Box& b : taken) EXPECT_FALSE(places[i]->box.overlaps(b));
    for (size_t j = 0; j < places.size(); ++j) {
      if (j == i || !places[j]) continue;
      EXPECT_FALSE(places[i]->box.overlaps(places[j]->box)) << i << " and " << j;
      EXPECT_FALSE(places[i]->leader && places[i]->leader->crosses(places[j]->box)) << i << " and " << j;
    }
  }
  return placed;
}

TEST(Labels, OnePointIsNamedAtItsRight) {
  LabelWish wish{{100, 100}, 5, 60, 16};
  auto place = place_labels(std::vector{wish}, {0, 0, 400, 300}, {}, {}).at(0);
  ASSERT_TRUE(place);
  EXPECT_GT(place->box.left, 105);
  EXPECT_LT(place->box.left, 115);
  EXPECT_FALSE(place->leader);
}

TEST(Labels, ALineIsAvoidedWhereThereIsRoom) {
  LabelWish wish{{100, 100}, 5, 60, 16};
  std::vector<Segment> level = {{{0, 100}, {400, 100}}};
  auto place = place_labels(std::vector{wish}, {0, 0, 400, 300}, {}, level).at(0);
  ASSERT_TRUE(place);
  EXPECT_FALSE(level[0].crosses(place->box));
}

TEST(Labels, PointsOnALineAllFindAPlace) {
  std::vector<LabelWish> wishes;
  std::vector<Box> markers;
  for (int i = 0; i < 12; ++i) {
    Point at{60.0 + 30 * i, 380.0 - 25 * i};
    wishes.push_back({at, 7, 110, 16});
    markers.push_back(Box{at.x, at.y, at.x, at.y}.grown(6));
  }
  EXPECT_EQ(expect_apart(wishes, {0, 0, 800, 420}, markers, {{{0, 430}, {500, 13}}}), 12);
}

TEST(Labels, ACrowdLosesNamesRatherThanLegibility) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::vector<LabelWish> wishes;
    std::vector<Box> markers;
    for (uint64_t i = 0; i < 40; ++i) {
      auto random = [&](uint64_t k, uint64_t below) {
        return static_cast<double>((seed * 7919 + i * 104729 + k * 1299709 + seed * i * 31) % below);
      };
      Point at{20 + random(1, 300), 20 + random(2, 200)};
      wishes.push_back({at, 5, 30 + random(3, 90), 15});
      markers.push_back(Box{at.x, at.y, at.x, at.y}.grown(4));
    }
    int placed = expect_apart(wishes, {0, 0, 340, 240}, markers, {});
    EXPECT_GT(placed, 5);
    EXPECT_LT(placed, 40);
  }
}

TEST(Labels, WithoutRoomThereIsNoName) {
  LabelWish wish{{20, 20}, 5, 60, 16};
  EXPECT_FALSE(place_labels(std::vector{wish}, {0, 0, 50, 50}, {}, {}).at(0));
}

}  // namespace
}  // namespace ridgeline
