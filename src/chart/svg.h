// A picture as SVG text, written element by element. Coordinates are pixels at the size it is made for, y downwards, and are
// printed with one decimal, so that a picture is the same text wherever it is made.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline {

struct Point {
  double x = 0, y = 0;
};

struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
  double width() const { return right - left; }
  double height() const { return bottom - top; }
  bool overlaps(const Box& o) const { return left < o.right && o.left < right && top < o.bottom && o.top < bottom; }
  bool contains(const Box& o) const { return left <= o.left && o.right <= right && top <= o.top && o.bottom <= bottom; }
  Box grown(double by) const { return {left - by, top - by, right + by, bottom + by}; }
};

// What a picture is made for. One of 400 pixels or less is for a phone: fewer ticks, labels above instead of beside.
struct Paper {
  double width = 830;  // of a README on GitHub
  // Within a page that has chart_style() already; else the picture carries it, and stands alone.
  bool in_page = false;
  bool narrow() const { return width <= 400; }
  double font() const { return narrow() ? 12 : 13; }
};

// Text from outside for XML: one line, characters that XML cannot hold written out, markup escaped.
std::string xml_text(std::string_view text);

// Pixels that a text takes at most in the fonts a browser falls back to: of a wide one (DejaVu Sans).
double text_width(std::string_view utf8, double font);
// Split between words into lines of at most `width` pixels; a word that is longer stays whole.
std::vector<std::string> wrapped(std::string_view text, double width, double font);

// The rules that the classes of a picture stand for, light and dark: "ink", "faint", "paper", "grid", "axis", "roof",
// and for series "fill0".."fill5", "line0".."line5", "ink0".."ink5".
std::string_view chart_style();
inline constexpr int series_colours = 6;

enum class Anchor : uint8_t { start, middle, end };
// Shapes tell series apart where colours do not.
enum class Marker : uint8_t { circle, square, triangle, diamond, cross };
Marker marker_of(size_t series);

class Svg {
 public:
  Svg(Paper paper, double height) : paper_(paper), height_(height) {}

  const Paper& paper() const { return paper_; }
  double width() const { return paper_.width; }
  void set_height(double height) { height_ = height; }

  // `tip`: shown by the browser where the pointer rests, and read aloud.
  void rect(const Box&, std::string_view classes, std::string_view tip = "");
  void line(Point from, Point to, std::string_view classes);
  void path(std::span<const Point>, std::string_view classes);   // open
  void shape(std::span<const Point>, std::string_view classes);  // closed
  // About `radius` from its middle to its edge, shapes alike in area.
  void marker(Marker, Point at, double radius, std::string_view classes, std::string_view tip = "");
  // `at` is the base line. degrees: turned about it.
  void text(Point at, std::string_view text, std::string_view classes = "ink", Anchor = Anchor::start,
            double degrees = 0);
  // Stripes over a box, for series that lie side by side: 1 slanting, 2 slanting back, 3 upright, 4 level;
  // other kinds: none.
  void hatch(const Box&, size_t kind, double step = 8);

  // title: the picture's name; description: what it shows, for who does not see it.
  std::string text_of(std::string_view title, std::string_view description) const;

 private:
  void element(std::string body, std::string_view name, std::string_view tip);
  Paper paper_;
  double height_;
  std::string body_;
};

}  // namespace ridgeline
