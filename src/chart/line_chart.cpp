#include "chart/line_chart.h"

#include <fmt/format.h>

#include <algorithm>

#include "chart/labels.h"

namespace ridgeline {
namespace {

// The part of a segment inside a box (Liang and Barsky 1984); none: all of it is outside.
std::optional<Segment> clipped(const Segment& s, const Box& b) {
  double first = 0, last = 1, dx = s.to.x - s.from.x, dy = s.to.y - s.from.y;
  const double way[] = {-dx, dx, -dy, dy};
  const double room[] = {s.from.x - b.left, b.right - s.from.x, s.from.y - b.top, b.bottom - s.from.y};
  for (size_t i = 0; i < 4; ++i) {
    if (way[i] == 0 && room[i] < 0) return {};
    if (way[i] < 0) first = std::max(first, room[i] / way[i]);
    if (way[i] > 0) last = std::min(last, room[i] / way[i]);
  }
  if (first > last) return {};
  auto at = [&](double t) { return Point{s.from.x + t * dx, s.from.y + t * dy}; };
  return Segment{at(first), at(last)};
}

class Panels {
 public:
  Panels(const LineChart& chart, Paper paper) : chart_(chart), svg_(paper, 0) {}

  std::string draw() {
    double font = svg_.paper().font(), y = put_caption(svg_, chart_.caption);
    y = put_legend(svg_, y, legend());
    bool narrow = svg_.paper().narrow();
    double height = chart_.panels.size() > 1 ? (narrow ? 200 : 0.27 * svg_.width())
                    : narrow                 ? 260
                                             : 0.42 * svg_.width();
    std::vector<AxisText> up;
    double left = 0;
    for (const auto& p : chart_.panels) {
      auto ticks = p.kind == Axis::Kind::log ? log_ticks(p.low, p.high, 7) : linear_ticks(p.low, p.high, 7);
      up.push_back(ticked(p.title, ticks, p.unit));
      left = std::max(left, left_margin(svg_, up.back()));
    }
    for (size_t i = 0; i < chart_.panels.size(); ++i) {
      double top = y + (i == 0 && !chart_.marks.empty() ? 3.4 : 1.9) * font;
      Box plot{left, top, svg_.width() - 12, top + height};
      put_panel(i, plot, up[i]);
      y = plot.bottom + below_plot(font);
    }
    svg_.set_height(y);
    return svg_.text_of(chart_.caption.title, chart_.caption.description);
  }

 private:
  std::vector<LegendEntry> legend() const {
    std::vector<LegendEntry> entries;
    for (const auto& p : chart_.panels)
      for (const auto& s : p.series)
        if (std::ranges::none_of(entries, [&](const LegendEntry& e) { return e.text == s.name; }))
          entries.push_back({s.name, LegendEntry::Sign::line, s.colour});
    return entries;
  }

  void put_panel(size_t index, const Box& plot, const AxisText& up) {
    const LineChart::Panel& panel = chart_.panels[index];
    double font = svg_.paper().font();
    Axis x(chart_.kind, chart_.low, chart_.high, plot.left, plot.right);
    Axis y(panel.kind, panel.low, panel.high, plot.bottom, plot.top);
    if (chart_.beyond && *chart_.beyond < chart_.high)
      svg_.rect({x(std::max(*chart_.beyond, chart_.low)), plot.top, plot.right, plot.bottom}, "beyond");
    int most = svg_.paper().narrow() ? 6 : 13;
    auto ticks = chart_.kind == Axis::Kind::log ? log_ticks(chart_.low, chart_.high, most, chart_.base)
                                                : linear_ticks(chart_.low, chart_.high, std::min(most, 9));
    put_axes(svg_, plot, x, ticked(chart_.axis, ticks, chart_.unit), y, up);

    std::vector<Box> taken;
    std::vector<Segment> lines;
    double free_from = 8 + text_width(panel.title, font) + font;  // names stand beside the title, or above it
    for (const auto& m : chart_.marks) {
      if (!x.holds(m.at)) continue;
      svg_.line({x(m.at), plot.top - 4}, {x(m.at), plot.bottom}, "limit");
      lines.push_back({{x(m.at), plot.top}, {x(m.at), plot.bottom}});
      if (index > 0) continue;
      double width = text_width(m.text, font);
      double left = std::clamp(x(m.at) - width / 2, 4.0, svg_.width() - 6 - width);
      bool beside = left >= free_from;
      svg_.text({left, plot.top - (beside ? 0.6 : 2.0) * font}, m.text, "ink halo");
      if (beside) free_from = left + width + font;
    }
    for (const auto& s : panel.series) put_series(s, plot, x, y, lines);
    for (const auto& n : panel.notes) taken.push_back(Box{x(n.at.x), y(n.at.y), x(n.at.x), y(n.at.y)}.grown(6));
    for (const auto& m : panel.levels) {
      if (!y.holds(m.at)) continue;
      svg_.line({plot.left, y(m.at)}, {plot.right, y(m.at)}, "limit");
      // Where no line runs through its name.
      double width = text_width(m.text, font), left = plot.left + 6;
      auto box = [&] { return Box{left, y(m.at) - 6 - font, left + width, y(m.at) - 2}; };
      auto clear = [&] {
        return std::ranges::none_of(lines, [&](const Segment& l) { return l.crosses(box()); }) &&
               std::ranges::none_of(taken, [&](const Box& b) { return b.overlaps(box()); });
      };
      while (!clear() && left + width + 8 < plot.right) left += 8;
      if (!clear()) left = plot.left + 6;
      svg_.text({left, y(m.at) - 6}, m.text, "ink halo");
      taken.push_back(box());
    }
    std::vector<LabelWish> wishes;
    for (const auto& n : panel.notes) {
      Point at{x(n.at.x), y(n.at.y)};
      svg_.marker(marker_of(n.colour), at, 4.5, fmt::format("point fill{}", n.colour % series_colours), n.text);
      wishes.push_back({at, 6, text_width(n.text, font) + 4, 1.25 * font});
    }
    auto places = place_labels(wishes, plot, taken, lines);
    for (size_t i = 0; i < places.size(); ++i) {
      if (!places[i]) continue;
      if (places[i]->leader) svg_.line(places[i]->leader->from, places[i]->leader->to, "leader");
      svg_.text({places[i]->box.left + 2, places[i]->box.bottom - 0.3 * font}, panel.notes[i].text, "ink halo");
    }
  }

  void put_series(const LineChart::Series& s, const Box& plot, const Axis& x, const Axis& y,
                  std::vector<Segment>& lines) {
    auto at = [&](Point p) { return Point{x(p.x), y(p.y)}; };
    std::vector<Point> run;
    std::string classes = fmt::format("line line{0} dash{0}", s.colour % series_colours);
    auto flush = [&] {
      if (run.size() > 1) svg_.path(run, classes);
      run.clear();
    };
    for (size_t i = 0; i + 1 < s.points.size(); ++i) {
      Segment whole{at(s.points[i]), at(s.points[i + 1])};
      auto part = clipped(whole, plot);
      if (!part) {
        flush();
        continue;
      }
      if (run.empty()) run.push_back(part->from);
      run.push_back(part->to), lines.push_back(*part);
      if (part->to.x != whole.to.x || part->to.y != whole.to.y) flush();
    }
    flush();
    if (!s.markers) return;
    for (const Point& p : s.points)
      if (x.holds(p.x) && y.holds(p.y))
        svg_.marker(marker_of(s.colour), at(p), 3.5, fmt::format("point fill{}", s.colour % series_colours));
  }

  const LineChart& chart_;
  Svg svg_;
};

}  // namespace

std::string lines_svg(const LineChart& chart, Paper paper) { return Panels(chart, paper).draw(); }

}  // namespace ridgeline
