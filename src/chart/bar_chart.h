// Level bars, each stacked of the same series: shares of a whole, or amounts beside a limit.
#pragma once
#include "chart/frame.h"

namespace ridgeline {

struct BarChart {
  struct Series {
    std::string name;
    size_t colour = 0;  // and texture
  };
  struct Bar {
    std::string label;
    std::vector<double> parts;        // of each series, 0 or more
    std::vector<std::string> inside;  // written in each part where there is room; may be empty
    std::string end;                  // behind the bar: the whole of it
    bool first = false;               // of a group: set apart from the one above
  };
  struct Mark {
    double value = 0;
    std::string text;
  };
  Caption caption;
  std::vector<Series> series;
  std::vector<Bar> bars;
  std::string axis, unit;   // title and unit of the numbers
  double most = 0;          // where the axis ends; longer bars are cut off there. 0: the longest bar
  std::vector<Mark> marks;  // upright lines across all bars
};
std::string bars_svg(const BarChart&, Paper = {});

}  // namespace ridgeline
