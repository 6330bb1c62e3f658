#include "chart/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/printable.h"
#include "base/utf8.h"

namespace ridgeline {
namespace {

// "12", "12.5": one decimal at most, and no negative zero.
std::string number(double x) {
  double tenths = std::round(x * 10);
  std::string text = fmt::format("{:.1f}", tenths == 0 ? 0.0 : tenths / 10);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

std::string path_data(std::span<const Point> points) {
  std::string d;
  for (const Point& p : points) d += fmt::format("{}{} {}", d.empty() ? "M" : "L", number(p.x), number(p.y));
  return d;
}

// In ems, of DejaVu Sans, which is wider than what most systems show.
double em_width(std::string_view c) {
  if (c.size() > 1) return c.size() == 2 ? 0.68 : 1.0;
  char x = c[0];
  if (std::string_view("ijl|'").find(x) != std::string_view::npos) return 0.3;
  if (std::string_view(" .,:;!I").find(x) != std::string_view::npos) return 0.34;
  if (std::string_view("frt()[]/-\"").find(x) != std::string_view::npos) return 0.42;
  if (x == 'm' || x == 'M' || x == 'W' || x == '@' || x == '%') return 0.98;
  if (x == 'w' || x == '+' || x == '=' || x == '<' || x == '>' || x == '~') return 0.84;
  if (x >= 'A' && x <= 'Z') return 0.72;
  return 0.63;
}

}  // namespace

std::string xml_text(std::string_view text) {
  std::string out, clean = escaped(text, 4000);
  for (size_t i = 0; i < clean.size(); ++i) {
    char c = clean[i];
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else if (std::string_view rest(clean.data() + i, clean.size() - i);
             rest.starts_with("\xEF\xBF\xBE") || rest.starts_with("\xEF\xBF\xBF"))
      out += "\\ufff", out += clean[i + 2] == '\xBE' ? 'e' : 'f', i += 2;  // no characters of XML
    else
      out += c;
  }
  return out;
}

double text_width(std::string_view text, double font) {
  double ems = 0;
  while (!text.empty()) {
    size_t size = std::max<size_t>(1, utf8_step(text).size);
    ems += em_width(text.substr(0, size));
    text.remove_prefix(size);
  }
  return ems * font;
}

std::vector<std::string> wrapped(std::string_view text, double width, double font) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    size_t space = std::min(text.find(' '), text.size());
    std::string word(text.substr(0, space));
    text.remove_prefix(std::min(space + 1, text.size()));
    if (!lines.empty() && text_width(lines.back() + " " + word, font) <= width)
      lines.back() += " " + word;
    else
      lines.push_back(std::move(word));
  }
  return lines;
}

Marker marker_of(size_t series) {
  constexpr Marker all[] = {Marker::circle, Marker::square, Marker::triangle, Marker::diamond, Marker::cross};
  return all[series % std::size(all)];
}

// Colours after Okabe and Ito, which stay apart for who sees no red or no green, made darker for white and lighter for black.
std::string_view chart_style() {
  return R"(
.chart{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.chart .paper{fill:#fff}.chart .ink{fill:#1b2733}.chart .strong{font-weight:650}.chart .faint{fill:#56636f}
.chart .grid{stroke:#e3e7eb;fill:none}.chart .axis{stroke:#7b8792;fill:none}
.chart .roof{stroke:#1b2733;stroke-width:2;fill:none}.chart .ridge{stroke:#7b8792;stroke-dasharray:2 4;fill:none}
.chart .limit{stroke:#1b2733;stroke-width:1.5;stroke-dasharray:7 4;fill:none}.chart .leader{stroke:#7b8792;fill:none}
.chart .under{fill:#f3f6f9}.chart .beyond{fill:#f6ece9}.chart .hatch{stroke:#fff;stroke-width:1.3;stroke-opacity:.5;fill:none}
.chart .halo{stroke:#fff;stroke-width:3;stroke-linejoin:round;paint-order:stroke}.chart .end{text-anchor:end}.chart .middle{text-anchor:middle}
.chart .fill0{fill:#0072b2}.chart .fill1{fill:#d55e00}.chart .fill2{fill:#00805f}.chart .fill3{fill:#a3508f}.chart .fill4{fill:#c58a00}.chart .fill5{fill:#cfd6dc}
.chart .line{fill:none;stroke-width:2.2;stroke-linejoin:round}.chart .dash1{stroke-dasharray:8 4}.chart .dash2{stroke-dasharray:2 3}.chart .dash3{stroke-dasharray:9 3 2 3}.chart .dash4{stroke-dasharray:4 4}
.chart .line0{stroke:#0072b2}.chart .line1{stroke:#d55e00}.chart .line2{stroke:#00805f}.chart .line3{stroke:#a3508f}.chart .line4{stroke:#8f6400}.chart .line5{stroke:#7b8792}
.chart .point{fill-opacity:.8;stroke:#fff;stroke-width:1}
@media screen and (prefers-color-scheme:dark){
.chart .paper{fill:#12171d}.chart .ink{fill:#e6ebf0}.chart .faint{fill:#a3b0bc}
.chart .grid{stroke:#28313a}.chart .axis{stroke:#7b8895}.chart .roof{stroke:#e6ebf0}.chart .ridge{stroke:#8996a3}
.chart .limit{stroke:#e6ebf0}.chart .leader{stroke:#8996a3}.chart .under{fill:#19212a}.chart .beyond{fill:#2d1f1c}.chart .hatch{stroke:#12171d}
.chart .halo{stroke:#12171d}
.chart .fill0{fill:#56b4e9}.chart .fill1{fill:#ff8f4d}.chart .fill2{fill:#2cc295}.chart .fill3{fill:#d79ad0}.chart .fill4{fill:#f0c545}.chart .fill5{fill:#3b4752}
.chart .line0{stroke:#56b4e9}.chart .line1{stroke:#ff8f4d}.chart .line2{stroke:#2cc295}.chart .line3{stroke:#d79ad0}.chart .line4{stroke:#f0c545}.chart .line5{stroke:#8996a3}
.chart .point{stroke:#12171d}
}
)";
}

void Svg::element(std::string body, std::string_view name, std::string_view tip) {
  body_ += "<" + std::string(name) + " " + std::move(body);
  body_ += tip.empty() ? std::string("/>\n") : fmt::format("><title>{}</title></{}>\n", xml_text(tip), name);
}

void Svg::rect(const Box& b, std::string_view classes, std::string_view tip) {
  element(fmt::format(R"(class="{}" x="{}" y="{}" width="{}" height="{}")", classes, number(b.left), number(b.top),
                      number(std::max(0.0, b.width())), number(std::max(0.0, b.height()))),
          "rect", tip);
}

void Svg::line(Point from, Point to, std::string_view classes) {
  element(fmt::format(R"(class="{}" x1="{}" y1="{}" x2="{}" y2="{}")", classes, number(from.x), number(from.y),
                      number(to.x), number(to.y)),
          "line", "");
}

void Svg::path(std::span<const Point> points, std::string_view classes) {
  element(fmt::format(R"(class="{}" d="{}")", classes, path_data(points)), "path", "");
}

void Svg::shape(std::span<const Point> points, std::string_view classes) {
  element(fmt::format(R"(class="{}" d="{}Z")", classes, path_data(points)), "path", "");
}

void Svg::marker(Marker m, Point at, double r, std::string_view classes, std::string_view tip) {
  if (m == Marker::circle)
    return element(fmt::format(R"(class="{}" cx="{}" cy="{}" r="{}")", classes, number(at.x), number(at.y), number(r)),
                   "circle", tip);
  std::vector<Point> edge;
  auto add = [&](double x, double y) { edge.push_back({at.x + x * r, at.y + y * r}); };
  switch (m) {
    case Marker::square: add(-.89, -.89), add(.89, -.89), add(.89, .89), add(-.89, .89); break;
    case Marker::triangle: add(0, -1.4), add(1.25, .8), add(-1.25, .8); break;
    case Marker::diamond: add(0, -1.3), add(1.3, 0), add(0, 1.3), add(-1.3, 0); break;
    default:  // a cross
      add(-.4, -1.2), add(.4, -1.2), add(.4, -.4), add(1.2, -.4), add(1.2, .4), add(.4, .4);
      add(.4, 1.2), add(-.4, 1.2), add(-.4, .4), add(-1.2, .4), add(-1.2, -.4), add(-.4, -.4);
  }
  element(fmt::format(R"(class="{}" d="{}Z")", classes, path_data(edge)), "path", tip);
}

void Svg::text(Point at, std::string_view text, std::string_view classes, Anchor anchor, double degrees) {
  std::string_view side = anchor == Anchor::start ? "" : anchor == Anchor::end ? " end" : " middle";
  std::string turned =
      degrees == 0 ? ""
                   : fmt::format(R"~( transform="rotate({} {} {})")~", number(degrees), number(at.x), number(at.y));
  body_ += fmt::format("<text class=\"{}{}\" x=\"{}\" y=\"{}\"{}>{}</text>\n", classes, side, number(at.x),
                       number(at.y), turned, xml_text(text));
}

void Svg::hatch(const Box& b, size_t kind, double step) {
  if (kind == 0 || kind > 4 || b.width() < 2) return;
  std::string d;
  auto stroke = [&](Point from, Point to) {
    d += fmt::format("M{} {}L{} {}", number(from.x), number(from.y), number(to.x), number(to.y));
  };
  if (kind == 3)
    for (double x = b.left + step / 2; x < b.right; x += step) stroke({x, b.top}, {x, b.bottom});
  else if (kind == 4)
    for (double y = b.top + step / 2; y < b.bottom; y += step) stroke({b.left, y}, {b.right, y});
  else
    for (double c = step / 2; c < b.width() + b.height(); c += step) {  // c from the corner where the stripes begin
      double x0 = std::min(c, b.width()), y0 = c - x0, y1 = std::min(c, b.height()), x1 = c - y1;
      bool back = kind == 2;
      auto at = [&](double x, double y) { return Point{b.left + x, back ? b.bottom - y : b.top + y}; };
      stroke(at(x0, y0), at(x1, y1));
    }
  if (!d.empty()) element(fmt::format(R"(class="hatch" d="{}")", d), "path", "");
}

std::string Svg::text_of(std::string_view title, std::string_view description) const {
  std::string style = paper_.in_page ? "" : fmt::format("<style>{}</style>\n", chart_style());
  return fmt::format(
             R"(<svg{3} class="chart" viewBox="0 0 {0} {1}" width="{0}" height="{1}" font-size="{2}" role="img">)",
             number(paper_.width), number(height_), number(paper_.font()),
             paper_.in_page ? "" : R"( xmlns="http://www.w3.org/2000/svg")") +
         fmt::format("\n<title>{}</title>\n<desc>{}</desc>\n{}", xml_text(title), xml_text(description), style) +
         fmt::format("<rect class=\"paper\" x=\"0\" y=\"0\" width=\"{}\" height=\"{}\"/>\n", number(paper_.width),
                     number(height_)) +
         body_ + "</svg>\n";
}

}  // namespace ridgeline
