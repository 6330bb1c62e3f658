// A roofline (Williams et al. 2009): what a machine can compute at most, over how much arithmetic a byte brings, and points
// below it. Both axes are logarithmic.
#pragma once
#include "chart/frame.h"

namespace ridgeline {

struct RooflineChart {
  struct Roof {
    std::string name;  // "HBM 3.35 TB/s", "bf16 989 TFLOP/s"
    double value = 0;  // B/s or FLOP/s
  };
  struct Item {
    std::string label;
    double intensity = 0;  // FLOP per byte
    double rate = 0;       // FLOP/s
    double share = 0;      // of its group's time, 0 to 1: the area of its marker
    size_t group = 0;
    std::string tip;  // shown where the pointer rests
  };
  Caption caption;
  std::vector<Roof> bandwidths;  // slopes, the fastest first; at least one
  std::vector<Roof> peaks;       // levels; at least one
  std::vector<std::string> groups;
  std::vector<Item> points;  // those without arithmetic have no place here and are left out
};

// Points of a group that lie on one another are one marker, named after those with the greatest shares. Throws Error
// (internal) where there is no roof.
std::string roofline_svg(const RooflineChart&, Paper = {});

}  // namespace ridgeline
