#include "chart/bar_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace ridgeline {
namespace {

double length_of(const BarChart::Bar& b) { return std::accumulate(b.parts.begin(), b.parts.end(), 0.0); }

void put_bar(Svg& svg, const BarChart& chart, const BarChart::Bar& bar, const Axis& x, double top, double height) {
  double at = 0, font = svg.paper().font();
  for (size_t i = 0; i < bar.parts.size(); ++i) {
    if (!(bar.parts[i] > 0) || at >= x.high()) continue;
    Box box{x(at), top, x(std::min(at + bar.parts[i], x.high())), top + height};
    at += bar.parts[i];
    std::string inside = i < bar.inside.size() ? bar.inside[i] : "";
    svg.rect(box, fmt::format("fill{}", chart.series[i].colour % series_colours),
             fmt::format("{}: {}{}", bar.label, chart.series[i].name, inside.empty() ? "" : ", " + inside));
    svg.hatch(box, chart.series[i].colour);
    double width = text_width(inside, font) + 8;
    if (inside.empty() || width > box.width()) continue;
    double middle = (box.left + box.right) / 2, half = font * 0.66, mid = (top + top + height) / 2;
    svg.rect({middle - width / 2, mid - half, middle + width / 2, mid + half}, "paper");
    svg.text({middle, mid + 0.36 * font}, inside, "ink", Anchor::middle);
  }
  if (length_of(bar) <= x.high() * 1.0001) return;
  // Cut off: two slanting gaps.
  for (double back : {10.0, 18.0}) {
    Point cut[] = {{x.to() - back, top + height + 2}, {x.to() - back + 7, top - 2}};
    svg.path(cut, "halo line");
  }
}

}  // namespace

std::string bars_svg(const BarChart& chart, Paper paper) {
  Svg svg(paper, 0);
  double font = paper.font(), top = put_caption(svg, chart.caption);
  std::vector<LegendEntry> legend;
  for (const auto& s : chart.series) legend.push_back({s.name, LegendEntry::Sign::bar, s.colour});
  top = put_legend(svg, top, legend);

  double label = 0, end = 0, longest = 0;
  for (const auto& b : chart.bars) {
    label = std::max(label, text_width(b.label, font)), end = std::max(end, text_width(b.end, font));
    longest = std::max(longest, length_of(b));
  }
  // Names above their bars where beside them would leave the bars no room.
  bool above = paper.narrow() || label + end > 0.5 * svg.width();
  double most = chart.most > 0 ? chart.most : longest > 0 ? longest : 1;
  Axis x(Axis::Kind::linear, 0, most, above ? 8 : 8 + label + 8, above ? svg.width() - 10 : svg.width() - end - 14);
  double height = 1.7 * font,
         y = top +
             1.5 * font * static_cast<double>(above ? chart.marks.size() : std::min<size_t>(1, chart.marks.size())),
         plot_top = y;
  std::vector<double> tops;
  for (const auto& b : chart.bars) {
    if (b.first && &b != &chart.bars.front()) y += 0.7 * font;
    if (above) y += 1.3 * font;
    tops.push_back(y);
    y += height + 0.45 * font;
  }
  double bottom = y + 0.2 * font;
  AxisText across = ticked(chart.axis, linear_ticks(0, most, above ? 5 : 9), chart.unit);
  for (const auto& [value, text] : across.ticks) {
    svg.line({x(value), plot_top}, {x(value), bottom}, "grid");
    double half = text_width(text, font) / 2;
    svg.text({std::clamp(x(value), 4 + half, svg.width() - 4 - half), bottom + 1.25 * font}, text, "faint",
             Anchor::middle);
  }
  for (size_t i = 0; i < chart.bars.size(); ++i) put_bar(svg, chart, chart.bars[i], x, tops[i], height);
  // Names of marks: one above the other on a phone, else side by side, each as near its line as the last one lets it.
  double free_from = 4;
  for (size_t i = 0; i < chart.marks.size(); ++i) {
    const auto& m = chart.marks[i];
    if (!x.holds(m.value)) continue;
    double width = text_width(m.text, font), most_left = svg.width() - 6 - width;
    double row = above ? static_cast<double>(i) : 0;
    bool last = i + 1 == chart.marks.size();  // the others' names end where their lines are
    double left = std::max(free_from, std::min(x(m.value) - (last ? width / 2 : width - 4), most_left));
    if (above) {  // not through what is written above the bars
      svg.line({x(m.value), plot_top - 2 - 1.3 * font * row}, {x(m.value), plot_top}, "limit");
      for (double bar : tops) svg.line({x(m.value), bar - 2}, {x(m.value), bar + height + 2}, "limit");
    } else {
      svg.line({x(m.value), plot_top - 2}, {x(m.value), bottom}, "limit");
    }
    svg.text({left, plot_top - (0.5 + 1.3 * row) * font}, m.text, "ink halo");
    if (!above) free_from = left + width + font;
  }
  for (size_t i = 0; i < chart.bars.size(); ++i) {
    const auto& b = chart.bars[i];
    double base = tops[i] + height / 2 + 0.36 * font;
    if (above) {
      svg.text({8, tops[i] - 0.35 * font}, b.label, "ink halo");
      svg.text({svg.width() - 8, tops[i] - 0.35 * font}, b.end, "faint halo", Anchor::end);
    } else {
      svg.text({x.from() - 8, base}, b.label, "ink", Anchor::end);
      svg.text({x(std::min(length_of(b), most)) + 6, base}, b.end, "ink halo");
    }
  }
  svg.line({x.from(), plot_top}, {x.from(), bottom}, "axis");
  svg.text({(x.from() + x.to()) / 2, bottom + 2.7 * font}, chart.axis, "ink", Anchor::middle);
  svg.set_height(bottom + below_plot(font));
  return svg.text_of(chart.caption.title, chart.caption.description);
}

}  // namespace ridgeline
