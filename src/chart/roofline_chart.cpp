#include "chart/roofline_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "chart/labels.h"

namespace ridgeline {
namespace {

using Item = RooflineChart::Item;

constexpr double seen = 0.001, named = 0.01;  // shares from which a point decides the axes, and has its name written
constexpr double same_place = 8;              // pixels

// Points of one group that lie on one another.
struct Cluster {
  std::vector<const Item*> items;  // the greatest share first
  Point at;
  double share = 0;
  size_t group() const { return items.front()->group; }
  std::string label(size_t most) const {
    std::vector<std::string> names;
    for (const Item* i : items)
      if (std::ranges::find(names, i->label) == names.end()) names.push_back(i->label);
    size_t more = names.size() > most ? names.size() - most : 0;
    names.resize(names.size() - more);
    std::string out = fmt::format("{}", fmt::join(names, ", "));
    if (more) out += fmt::format(" + {} more", more);
    return out + fmt::format(" {:.0f} %", 100 * share);
  }
  std::string tip() const {
    std::string out;
    for (const Item* i : items) out += (out.empty() ? "" : "; ") + (i->tip.empty() ? i->label : i->tip);
    return out;
  }
};

struct Range {
  double low, high;
};

class Picture {
 public:
  Picture(const RooflineChart& chart, Paper paper) : chart_(chart), svg_(paper, 0) {
    require(!chart.bandwidths.empty() && !chart.peaks.empty(), "a roofline without a roof");
    for (const auto& p : chart.peaks) peak_ = std::max(peak_, p.value);
    for (const auto& b : chart.bandwidths) bandwidth_ = std::max(bandwidth_, b.value);
  }

  std::string draw() {
    double font = svg_.paper().font();
    double top = put_caption(svg_, chart_.caption);
    std::vector<LegendEntry> legend;
    for (size_t g = 0; g < chart_.groups.size(); ++g)
      legend.push_back({chart_.groups[g], LegendEntry::Sign::marker, g});
    top = put_legend(svg_, top, legend) + 1.2 * font;
    auto [x, y] = ranges();
    AxisText across = ticked("intensity, FLOP per byte", log_ticks(x.low, x.high, svg_.paper().narrow() ? 5 : 9)),
             up = ticked("performance, FLOP/s", log_ticks(y.low, y.high, 8));
    plot_ = {left_margin(svg_, up), top, svg_.width() - 10, top + (svg_.paper().narrow() ? 330 : 0.5 * svg_.width())};
    x_.emplace(Axis::Kind::log, x.low, x.high, plot_.left, plot_.right);
    y_.emplace(Axis::Kind::log, y.low, y.high, plot_.bottom, plot_.top);
    put_region();
    put_axes(svg_, plot_, *x_, across, *y_, up);
    auto all = clusters();
    for (const Cluster& c : all) taken_.push_back(Box{c.at.x, c.at.y, c.at.x, c.at.y}.grown(radius_of(c)));
    put_roofs();
    put_points(all);
    svg_.set_height(plot_.bottom + below_plot(font));
    return svg_.text_of(chart_.caption.title, chart_.caption.description);
  }

 private:
  std::pair<Range, Range> ranges() const {
    // Room for names right of the last point.
    Range x{peak_ / bandwidth_ / 30, peak_ / bandwidth_ * 8}, y{peak_ / 100, peak_ * 4};
    for (const Item& i : chart_.points)
      if (i.share >= seen && i.intensity > 0) {
        x.low = std::min(x.low, i.intensity / 2), x.high = std::max(x.high, i.intensity * 6);
        y.low = std::min(y.low, i.rate / 3), y.high = std::max(y.high, i.rate * 2);
      }
    return {x, y};
  }

  double roof(double intensity) const { return std::min(peak_, bandwidth_ * intensity); }

  // The region under the highest roof, and where it bends.
  void put_region() {
    double left = x_->low(), ridge = std::clamp(peak_ / bandwidth_, x_->low(), x_->high());
    std::vector<Point> edge = {{plot_.left, plot_.bottom}};
    double start = std::max(left, y_->low() / bandwidth_);
    edge.push_back({(*x_)(start), (*y_)(std::max(roof(start), y_->low()))});
    edge.push_back({(*x_)(ridge), (*y_)(peak_)});
    edge.push_back({plot_.right, (*y_)(peak_)});
    edge.push_back({plot_.right, plot_.bottom});
    svg_.shape(edge, "under");
  }

  bool is_free(const Box& b) const {
    return std::ranges::none_of(taken_, [&](const Box& t) { return b.overlaps(t); });
  }

  void put_roofs() {
    for (const auto& b : chart_.bandwidths) {
      double from = std::max(x_->low(), y_->low() / b.value), to = std::min(x_->high(), peak_ / b.value);
      Segment slope{{(*x_)(from), (*y_)(b.value * from)}, {(*x_)(to), (*y_)(b.value * to)}};
      svg_.line(slope.from, slope.to, "roof");
      lines_.push_back(slope);
      name_slope(b.name, slope);
    }
    for (const auto& p : chart_.peaks) {
      Segment level{{(*x_)(std::clamp(p.value / bandwidth_, x_->low(), x_->high())), (*y_)(p.value)},
                    {plot_.right, (*y_)(p.value)}};
      svg_.line(level.from, level.to, "roof");
      lines_.push_back(level);
      name_level(p.name, level);
    }
    double ridge = peak_ / bandwidth_, font = svg_.paper().font();
    if (!x_->holds(ridge)) return;
    svg_.line({(*x_)(ridge), (*y_)(peak_)}, {(*x_)(ridge), plot_.bottom}, "ridge");
    std::string text = fmt::format("ridge: {:.3g} FLOP/B", ridge);
    double width = text_width(text, font), x = (*x_)(ridge) + 6;
    if (x + width > plot_.right) x = (*x_)(ridge)-6 - width;
    svg_.text({x, plot_.bottom - 8}, text, "faint halo");
    taken_.push_back({x, plot_.bottom - 8 - font, x + width, plot_.bottom});
  }

  // Above the line and along it, where no marker is in the way: the higher the better.
  void name_slope(const std::string& name, const Segment& line) {
    double font = svg_.paper().font(), width = text_width(name, font);
    double length = std::hypot(line.to.x - line.from.x, line.to.y - line.from.y);
    double angle = std::atan2(line.to.y - line.from.y, line.to.x - line.from.x);
    double off = 0;
    auto along = [&](double way) {
      return Point{line.from.x + way * std::cos(angle) + off * std::sin(angle),
                   line.from.y + way * std::sin(angle) - off * std::cos(angle)};
    };
    for (off = 6; off < 30; off += 6)
      for (double begin = 0.9 * length - width; begin > 10; begin -= 10) {
        std::vector<Box> boxes;
        for (double way = begin; way < begin + width; way += font / 2) {
          Point p = along(way);
          boxes.push_back({p.x - font / 2, p.y - font, p.x + font / 2, p.y + font / 4});
        }
        if (!std::ranges::all_of(boxes, [&](const Box& b) { return is_free(b); })) continue;
        svg_.text(along(begin), name, "ink halo", Anchor::start, angle * 180 / M_PI);
        taken_.insert(taken_.end(), boxes.begin(), boxes.end());
        return;
      }
  }

  // On the line, or else under it or higher above, the farther right the better.
  void name_level(const std::string& name, const Segment& line) {
    double font = svg_.paper().font(), width = text_width(name, font);
    double on = line.from.y - 6, under = line.from.y + 6 + 0.8 * font;
    for (double base : {on, under, on - 8, on - 16, on - 24})
      for (double right = line.to.x - 4; right - width > plot_.left + 4; right -= 6) {
        Box box{right - width, base - font, right, base + 0.3 * font};
        if (!is_free(box) || std::ranges::any_of(lines_, [&](const Segment& l) { return l.crosses(box); })) continue;
        svg_.text({right, base}, name, "ink halo", Anchor::end);
        taken_.push_back(box);
        return;
      }
  }

  double radius_of(const Cluster& c) const {
    return std::max(3.0, (svg_.paper().narrow() ? 11 : 15) * std::sqrt(c.share));
  }

  std::vector<Cluster> clusters() const {
    std::vector<const Item*> items;
    for (const Item& i : chart_.points)
      if (x_->holds(i.intensity) && y_->holds(i.rate)) items.push_back(&i);
    std::ranges::stable_sort(items, [](auto* a, auto* b) { return a->share > b->share; });
    std::vector<Cluster> out;
    for (const Item* i : items) {
      Point at{(*x_)(i->intensity), (*y_)(i->rate)};
      auto near = std::ranges::find_if(out, [&](const Cluster& c) {
        return c.group() == i->group && std::hypot(c.at.x - at.x, c.at.y - at.y) < same_place;
      });
      if (near == out.end()) near = out.insert(out.end(), Cluster{{}, at});
      near->items.push_back(i), near->share += i->share;
    }
    std::ranges::stable_sort(out, [](const Cluster& a, const Cluster& b) { return a.share > b.share; });
    return out;
  }

  void put_points(const std::vector<Cluster>& all) {
    double font = svg_.paper().font(), sign = font;  // a small marker before each name tells whose it is
    size_t most = svg_.paper().narrow() ? 1 : 3;
    std::vector<LabelWish> wishes;
    std::vector<const Cluster*> of_wish;
    for (const Cluster& c : all) {
      svg_.marker(marker_of(c.group()), c.at, radius_of(c), fill_of(c), c.tip());
      if (c.share < named) continue;
      wishes.push_back({c.at, radius_of(c) + 1, sign + text_width(c.label(most), font) + 4, 1.25 * font});
      of_wish.push_back(&c);
    }
    Box inside{plot_.left + 4, plot_.top, plot_.right - 2, plot_.bottom - 2};
    auto places = place_labels(wishes, inside, taken_, lines_);
    for (size_t i = 0; i < places.size(); ++i) {
      if (!places[i]) continue;
      const auto& [box, leader] = *places[i];
      if (leader) svg_.line(leader->from, leader->to, "leader");
      double base = box.bottom - 0.3 * font;
      svg_.marker(marker_of(of_wish[i]->group()), {box.left + 0.45 * font, base - 0.35 * font}, 0.3 * font,
                  fill_of(*of_wish[i]));
      svg_.text({box.left + 2 + sign, base}, of_wish[i]->label(most), "ink halo");
    }
  }
  static std::string fill_of(const Cluster& c) { return fmt::format("point fill{}", c.group() % series_colours); }

  const RooflineChart& chart_;
  Svg svg_;
  double peak_ = 0, bandwidth_ = 0;
  Box plot_;
  std::optional<Axis> x_, y_;
  std::vector<Box> taken_;
  std::vector<Segment> lines_;
};

}  // namespace

std::string roofline_svg(const RooflineChart& chart, Paper paper) { return Picture(chart, paper).draw(); }

}  // namespace ridgeline
