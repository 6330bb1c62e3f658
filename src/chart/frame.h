// What every picture has around its data: a heading, a legend, axes with a grid.
#pragma once
#include "chart/axis.h"
#include "chart/svg.h"

namespace ridgeline {

// What is said of a picture as a whole.
struct Caption {
  std::string title;
  std::string note;         // a line or two under it: how it is read
  std::string description;  // what it shows, for who does not see it
};

struct LegendEntry {
  enum class Sign : uint8_t { marker, line, bar };
  std::string text;
  Sign sign = Sign::marker;
  size_t series = 0;
};

// Each returns the y below what it wrote.
double put_caption(Svg&, const Caption&);
double put_legend(Svg&, double y, const std::vector<LegendEntry>&);

struct AxisText {
  std::string title;  // "FLOP per byte"
  std::vector<std::pair<double, std::string>> ticks;
};
AxisText ticked(std::string title, const std::vector<double>& ticks, std::string_view unit = "");

// Pixels left of a plot for the ticks of its vertical axis, whose title stands above it.
double left_margin(const Svg&, const AxisText& vertical);
// Grid, axes, ticks and titles: the horizontal one's below, the vertical one's above the plot.
void put_axes(Svg&, const Box& plot, const Axis& x, const AxisText&, const Axis& y, const AxisText&);
constexpr double below_plot(double font) { return 3.4 * font; }  // pixels of the ticks and title under a plot

}  // namespace ridgeline
