#include "chart/svg.h"

#include <gtest/gtest.h>

#include "base/utf8.h"
#include "chart/bar_chart.h"
#include "chart/line_chart.h"
#include "chart/roofline_chart.h"
#include "golden_text.h"
#include "markup.h"

namespace ridgeline {
namespace {

using namespace std::string_literals;

// What a file's name or a hub's model may be called.
const std::string hostile_names[] = {"</title><script>alert(1)</script>",
                                     "\"' onload=\"x",
                                     "a & b < c > d",
                                     "]]> <!-- --> <?x?>",
                                     "\x1b[31m\x00\x07"s + "\n\t",
                                     "\xff\xfe\xc0\xaf",
                                     "\xEF\xBF\xBE\xEF\xBF\xBF",
                                     "\xE2\x80\xAE"
                                     "evil"};

RooflineChart small_roofline(const std::string& name) {
  return {.caption = {"Roofline of " + name, "A note.", "What it shows of " + name},
          .bandwidths = {{"memory 1 TB/s", 1e12}},
          .peaks = {{"bf16 100 TFLOP/s", 1e14}, {"fp32 20 TFLOP/s", 2e13}},
          .groups = {"decode", "prefill"},
          .points = {{name, 1, 1e12, 0.6, 0, ""},
                     {"attention", 4, 4e12, 0.3, 0, "a tip for " + name},
                     {"silent", 0, 0, 0.1, 0, ""},
                     {"gate up", 2000, 1e14, 0.9, 1, ""}}};
}

TEST(XmlText, EscapesMarkup) { EXPECT_EQ(xml_text("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;"); }

TEST(XmlText, HoldsNoCharacterThatXmlCannotHold) {
  for (const auto& name : hostile_names) {
    std::string text = xml_text(name);
    EXPECT_TRUE(is_utf8(text));
    EXPECT_TRUE(test::holds_only_entities(text)) << text;
    EXPECT_EQ(text.find('<'), text.npos);
    EXPECT_EQ(text.find("\xEF\xBF\xBE"), text.npos);
    EXPECT_EQ(text.find("\xEF\xBF\xBF"), text.npos);
    for (char c : text) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20) << text;
  }
}

TEST(Svg, PicturesOfHostileNamesAreWellFormed) {
  for (const auto& name : hostile_names)
    for (double width : {830.0, 350.0}) {
      Paper paper{.width = width};
      BarChart bars{.caption = {name, name, name},
                    .series = {{name, 0}, {"b", 1}},
                    .bars = {{name, {1, 2}, {name, ""}, name}},
                    .axis = name,
                    .marks = {{2, name}}};
      LineChart lines{.caption = {name, name, name}, .axis = name, .low = 1, .high = 10};
      lines.panels = {{.title = name, .low = 1, .high = 10, .series = {{name, {{1, 1}, {10, 20}}, 1, true}}}};
      lines.panels[0].levels = {{5, name}}, lines.panels[0].notes = {{{2, 2}, name, 0}}, lines.marks = {{3, name}};
      for (const auto& svg :
           {roofline_svg(small_roofline(name), paper), bars_svg(bars, paper), lines_svg(lines, paper)}) {
        auto all = test::elements_of(svg);
        ASSERT_GT(all.size(), 10u);
        EXPECT_EQ(all[0].name, "svg");
        EXPECT_EQ(all[1].name, "title");
        EXPECT_EQ(all[1].text.find('<'), std::string::npos);
        EXPECT_EQ(all[2].name, "desc");
        for (const auto& e : all) {
          EXPECT_NE(e.name, "script");
          EXPECT_EQ(e["onload"], "");
        }
      }
    }
}

TEST(Svg, StandsAloneOrTakesThePagesStyle) {
  std::string alone = roofline_svg(small_roofline("m")), inside = roofline_svg(small_roofline("m"), {.in_page = true});
  EXPECT_NE(alone.find("xmlns=\"http://www.w3.org/2000/svg\""), alone.npos);
  EXPECT_NE(alone.find("<style>"), alone.npos);
  EXPECT_EQ(inside.find("http"), inside.npos);
  EXPECT_EQ(inside.find("<style>"), inside.npos);
  for (const char* reference : {"href", "url(", "@import", "src="}) EXPECT_EQ(alone.find(reference), alone.npos);
}

TEST(Svg, HatchesStayInTheirBox) {
  for (size_t kind = 1; kind <= 4; ++kind) {
    Svg svg({.width = 100}, 100);
    svg.hatch({20, 30, 70, 50}, kind);
    std::string text = svg.text_of("t", "d");
    size_t at = text.find("class=\"hatch\" d=\"");
    ASSERT_NE(at, text.npos) << kind;
    std::string d = text.substr(at + 17, text.find('"', at + 17) - at - 17);
    std::replace_if(d.begin(), d.end(), [](char c) { return c == 'M' || c == 'L'; }, ' ');
    std::istringstream numbers(d);
    int count = 0;
    for (double x, y; numbers >> x >> y; ++count) {
      EXPECT_TRUE(x >= 20 && x <= 70) << kind;
      EXPECT_TRUE(y >= 30 && y <= 50) << kind;
    }
    EXPECT_GE(count, 4);
  }
}

TEST(Text, WrapsBetweenWords) {
  auto lines = wrapped("one two three four", text_width("one two", 10) + 1, 10);
  EXPECT_EQ(lines, (std::vector<std::string>{"one two", "three", "four"}));
  EXPECT_EQ(wrapped("", 100, 10).size(), 0u);
  EXPECT_GT(text_width("WWW", 10), text_width("iii", 10));
}

TEST(Roofline, Golden) { test::expect_golden("chart/roofline.svg", roofline_svg(small_roofline("q k v"))); }

TEST(Roofline, LeavesOutWhatHasNoArithmetic) {
  std::string svg = roofline_svg(small_roofline("m"));
  EXPECT_EQ(svg.find("silent"), svg.npos);
  EXPECT_NE(svg.find(">gate up 90 %<"), svg.npos);
  EXPECT_NE(svg.find(">ridge: 100 FLOP/B<"), svg.npos);
}

TEST(Roofline, PointsInOnePlaceAreOneMarker) {
  RooflineChart chart = small_roofline("m");
  chart.points = {{"a", 1, 1e12, 0.5, 0, ""}, {"b", 1.001, 1e12, 0.3, 0, ""}, {"c", 1, 1e12, 0.2, 1, ""}};
  std::string svg = roofline_svg(chart);
  EXPECT_NE(svg.find(">a, b 80 %<"), svg.npos);
  EXPECT_NE(svg.find(">c 20 %<"), svg.npos);
}

TEST(Roofline, ACrowdStaysReadable) {
  for (double width : {830.0, 350.0}) {
    RooflineChart chart = small_roofline("m");
    for (int i = 0; i < 30; ++i)
      chart.points.push_back({"an op named " + std::to_string(i), 0.5 * (1 + i % 7), 5e11 * (1 + i % 7) / (1 + i % 3),
                              0.02 + 0.001 * i, static_cast<size_t>(i % 2), ""});
    test::expect_readable(roofline_svg(chart, {.width = width}));
  }
}

TEST(Bars, LongOnesAreCutOff) {
  BarChart chart{.caption = {"t", "", "d"},
                 .series = {{"a", 0}},
                 .bars = {{"x", {10}, {}, "10"}, {"y", {1}, {}, "1"}},
                 .axis = "n",
                 .most = 5};
  std::string svg = bars_svg(chart);
  for (const auto& e : test::elements_of(svg))
    EXPECT_TRUE(e.name != "rect" || std::stod(e["x"]) + std::stod(e["width"]) <= 830) << e.attributes;
  test::expect_readable(svg);
}

TEST(Lines, StayInTheirPlot) {
  LineChart chart{.caption = {"t", "n", "d"}, .axis = "x", .kind = Axis::Kind::linear, .low = 0, .high = 10};
  chart.panels = {{.title = "y",
                   .kind = Axis::Kind::linear,
                   .low = 0,
                   .high = 10,
                   .series = {{"s", {{0, 0}, {10, 100}, {20, -5}}, 0, true}}}};
  std::string svg = lines_svg(chart);
  auto all = test::elements_of(svg);
  auto path =
      std::ranges::find_if(all, [](const auto& e) { return e["class"].starts_with("line line0") && e.name == "path"; });
  ASSERT_NE(path, all.end());
  // It leaves through the top, at a tenth of the width.
  auto axis = std::ranges::find_if(all, [](const auto& e) { return e["class"] == "axis"; });
  double left = std::stod((*axis)["x1"]), right = std::stod((*axis)["x2"]);
  std::string d = (*path)["d"];
  double end = std::stod(d.substr(d.find('L') + 1));
  EXPECT_NEAR((end - left) / (right - left), 0.1, 0.002);
}

}  // namespace
}  // namespace ridgeline
