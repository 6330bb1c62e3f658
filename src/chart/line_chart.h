// Lines over one axis, in one panel or several under one another, with the limits that they run into.
#pragma once
#include <optional>

#include "chart/frame.h"

namespace ridgeline {

struct LineChart {
  struct Series {
    std::string name;
    std::vector<Point> points;  // in the axes' numbers, x rising
    size_t colour = 0;          // and dashes
    bool markers = false;       // on each point
  };
  struct Mark {
    double at = 0;
    std::string text;
  };
  struct Note {  // a point of a panel with a name
    Point at;
    std::string text;
    size_t colour = 0;
  };
  struct Panel {
    std::string title, unit;  // of the vertical axis
    Axis::Kind kind = Axis::Kind::log;
    double low = 0, high = 1;
    std::vector<Series> series;
    std::vector<Mark> levels;  // level lines across
    std::vector<Note> notes;
  };
  Caption caption;
  std::string axis, unit;  // of the horizontal axis
  Axis::Kind kind = Axis::Kind::log;
  int base = 10;  // of its ticks, where it is logarithmic
  double low = 1, high = 2;
  std::vector<Mark> marks;       // upright lines through all panels
  std::optional<double> beyond;  // from here on the ground is shaded: it cannot be had
  std::vector<Panel> panels;
};
std::string lines_svg(const LineChart&, Paper = {});

}  // namespace ridgeline
