// Markup read back in tests: whether it is well-formed, and what is written where in a picture.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "chart/svg.h"

namespace ridgeline::test {

struct Element {
  std::string name, attributes, text;  // text: up to the next tag
  // The value of an attribute; "": it has none.
  std::string operator[](const std::string& attribute) const {
    size_t at = (" " + attributes).find(" " + attribute + "=\"");
    if (at == std::string::npos) return "";
    at += attribute.size() + 2;
    return attributes.substr(at, attributes.find('"', at) - at);
  }
};

inline bool holds_only_entities(std::string_view text) {
  for (size_t at = text.find('&'); at != text.npos; at = text.find('&', at + 1))
    if (std::ranges::none_of(std::vector<std::string_view>{"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"},
                             [&](std::string_view e) { return text.substr(at).starts_with(e); }))
      return false;
  return text.find('>') == text.npos;
}

// The elements of well-formed XML, or of HTML as it is written here, where `empty` names those that have no end. Every fault
// fails the test.
inline std::vector<Element> elements_of(std::string_view markup, const std::vector<std::string>& empty = {}) {
  std::vector<Element> all;
  std::vector<std::string> open;
  for (size_t at = markup.find('<'); at != markup.npos; at = markup.find('<', at + 1)) {
    size_t end = markup.find('>', at), next = std::min(markup.find('<', at + 1), markup.size());
    if (end > next) {
      ADD_FAILURE() << "a tag without end: " << markup.substr(at, 60);
      return all;
    }
    std::string_view tag = markup.substr(at + 1, end - at - 1), text = markup.substr(end + 1, next - end - 1);
    if (tag.starts_with("!DOCTYPE")) continue;
    if (tag.starts_with("/")) {
      if (open.empty() || open.back() != tag.substr(1)) {
        ADD_FAILURE() << "</" << tag.substr(1) << "> ends " << (open.empty() ? "nothing" : open.back());
        return all;
      }
      open.pop_back();
    } else {
      bool closed = tag.ends_with("/");
      std::string_view inside = tag.substr(0, tag.size() - closed);
      std::string name(inside.substr(0, inside.find_first_of(" \n")));
      std::string attributes(inside.size() > name.size() ? inside.substr(name.size() + 1) : "");
      EXPECT_EQ(std::count(attributes.begin(), attributes.end(), '"') % 2, 0) << tag;
      EXPECT_TRUE(holds_only_entities(attributes)) << tag;
      all.push_back({name, attributes, std::string(text)});
      if (!closed && std::ranges::find(empty, name) == empty.end()) open.push_back(name);
    }
    EXPECT_TRUE((!open.empty() && open.back() == "style") || holds_only_entities(text)) << text;
  }
  EXPECT_TRUE(open.empty()) << "<" << open.back() << "> has no end";
  return all;
}

inline std::string unescaped(std::string text) {
  for (auto [entity, c] : {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}, {"&amp;", "&"}})
    for (size_t at = text.find(entity); at != text.npos; at = text.find(entity, at + 1))
      text.replace(at, std::string_view(entity).size(), c);
  return text;
}

struct WrittenText {
  Box box;
  std::string text;
};
// Level texts of a picture, each in the box that it takes at most.
inline std::vector<WrittenText> texts_of(const std::string& svg) {
  std::vector<WrittenText> out;
  auto all = elements_of(svg);
  double font = std::stod(all.front()["font-size"]);
  for (const Element& e : all) {
    if (e.name != "text" || !e["transform"].empty()) continue;
    double x = std::stod(e["x"]), y = std::stod(e["y"]), width = text_width(unescaped(e.text), font);
    if (e["class"].ends_with(" end")) x -= width;
    if (e["class"].ends_with(" middle")) x -= width / 2;
    out.push_back({{x, y - 0.8 * font, x + width, y + 0.2 * font}, e.text});
  }
  return out;
}

// No two texts of a picture lie on one another, and all lie inside of it.
inline void expect_readable(const std::string& svg) {
  auto texts = texts_of(svg);
  const Element root = elements_of(svg).front();
  Box whole{0, 0, std::stod(root["width"]), std::stod(root["height"])};
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_TRUE(whole.contains(texts[i].box)) << "outside: " << texts[i].text;
    for (size_t j = i + 1; j < texts.size(); ++j)
      EXPECT_FALSE(texts[i].box.overlaps(texts[j].box)) << texts[i].text << " | " << texts[j].text;
  }
}

}  // namespace ridgeline::test
