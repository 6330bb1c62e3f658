#include "chart/frame.h"

#include <fmt/format.h>

#include <algorithm>

namespace ridgeline {

double put_caption(Svg& svg, const Caption& c) {
  double font = svg.paper().font(), y = 1.6 * font, most = svg.width() - 2 * 8;
  if (!svg.paper().in_page)  // a page has headings of its own
    for (const auto& line : wrapped(c.title, most / 1.1, font)) svg.text({8, y}, line, "ink strong"), y += 1.35 * font;
  for (const auto& line : wrapped(c.note, most, font)) svg.text({8, y}, line, "faint"), y += 1.35 * font;
  return y;
}

double put_legend(Svg& svg, double y, const std::vector<LegendEntry>& entries) {
  double font = svg.paper().font(), x = 8, sign = 2.2 * font, row = 1.5 * font;
  y += 0.2 * font;
  for (const auto& e : entries) {
    double width = sign + text_width(e.text, font) + 1.4 * font;
    if (x > 8 && x + width > svg.width()) x = 8, y += row;
    double middle = y - 0.35 * font;
    std::string series = fmt::format("{}", e.series % series_colours);
    Box box{x, middle - 0.42 * font, x + 1.7 * font, middle + 0.42 * font};
    switch (e.sign) {
      case LegendEntry::Sign::marker:
        svg.marker(marker_of(e.series), {x + 0.85 * font, middle}, 0.42 * font, "point fill" + series);
        break;
      case LegendEntry::Sign::line:
        svg.line({box.left, middle}, {box.right, middle}, "line line" + series + " dash" + series);
        break;
      case LegendEntry::Sign::bar: svg.rect(box, "fill" + series), svg.hatch(box, e.series);
    }
    svg.text({x + sign, y}, e.text);
    x += width;
  }
  return entries.empty() ? y : y + row;
}

AxisText ticked(std::string title, const std::vector<double>& ticks, std::string_view unit) {
  AxisText t{std::move(title), {}};
  for (double v : ticks) {
    std::string text = tick_text(v);
    bool prefixed = text.find(' ') != text.npos;
    t.ticks.emplace_back(v, unit.empty() || v == 0 ? text : fmt::format("{}{}{}", text, prefixed ? "" : " ", unit));
  }
  return t;
}

double left_margin(const Svg& svg, const AxisText& vertical) {
  double most = 0;
  for (const auto& [value, text] : vertical.ticks) most = std::max(most, text_width(text, svg.paper().font()));
  return 8 + most + 7;
}

void put_axes(Svg& svg, const Box& plot, const Axis& x, const AxisText& across, const Axis& y, const AxisText& up) {
  double font = svg.paper().font();
  for (const auto& [value, text] : across.ticks) {
    if (!x.holds(value)) continue;
    svg.line({x(value), plot.top}, {x(value), plot.bottom}, "grid");
    // A number at the edge of the picture stays inside of it.
    double half = text_width(text, font) / 2;
    svg.text({std::min(x(value), svg.width() - 4 - half), plot.bottom + 1.25 * font}, text, "faint", Anchor::middle);
  }
  for (const auto& [value, text] : up.ticks) {
    if (!y.holds(value)) continue;
    svg.line({plot.left, y(value)}, {plot.right, y(value)}, "grid");
    svg.text({plot.left - 6, y(value) + 0.35 * font}, text, "faint", Anchor::end);
  }
  svg.line({plot.left, plot.bottom}, {plot.right, plot.bottom}, "axis");
  svg.line({plot.left, plot.top}, {plot.left, plot.bottom}, "axis");
  svg.text({(plot.left + plot.right) / 2, plot.bottom + 2.7 * font}, across.title, "ink", Anchor::middle);
  svg.text({8, plot.top - 0.6 * font}, up.title);
}

}  // namespace ridgeline
