#include "planner/sheet_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text_table.h"

namespace ridgeline {
namespace {

struct Prefix {
  Number factor;
  std::string_view text;
};
constexpr Prefix greater[] = {{1e18L, "E"}, {1e15L, "P"}, {1e12L, "T"}, {1e9L, "G"}, {1e6L, "M"}, {1e3L, "k"}};
constexpr Prefix smaller[] = {{1e-3L, "m"}, {1e-6L, "µ"}, {1e-9L, "n"}};
constexpr Number most_whole = 1e15L;  // written in full below this

// Which prefix a quantity is read with.
Prefix prefix_of(Number value, std::string_view unit, int digits) {
  Number least_shown = 1 - 0.5L * std::pow(10.0L, static_cast<Number>(-digits));  // 999.96 in four digits is 1 k
  if (unit == "s") {
    if (value == 0 || std::abs(value) >= least_shown) return {1, ""};
    for (auto p : smaller)
      if (std::abs(value) >= p.factor * least_shown) return p;
    return smaller[std::size(smaller) - 1];
  }
  bool parameters = unit == "parameters";
  if (!parameters && unit != "B" && unit != "FLOP" && unit != "B/s" && unit != "FLOP/s") return {1, ""};
  for (auto p : greater)
    if (std::abs(value) >= p.factor * least_shown) {
      if (parameters) return p.factor > 1e9L ? Prefix{1e9L, "B"} : p.text == "G" ? Prefix{1e9L, "B"} : p;
      return p;
    }
  return {1, ""};
}

// "0.04481", "1,075.8", "49,591": digits before the point are never rounded away.
std::string digits_of(Number value, int digits) {
  bool large = std::abs(value) >= std::pow(10.0L, static_cast<Number>(digits)) - 0.5L && std::abs(value) < most_whole;
  std::string text =
      large ? fmt::format("{}", std::llround(value)) : fmt::format("{:.{}g}", static_cast<double>(value), digits);
  size_t point = std::min(text.find('.'), text.size());
  if (text.find('e') != text.npos || point < 4) return text;
  return grouped(std::stoll(text.substr(0, point))) + text.substr(point);
}

std::string with_unit(std::string number, std::string_view prefix, std::string_view unit) {
  if (unit == "1") return number;
  std::string_view gap = prefix.empty() || unit != "parameters" ? "" : " ";  // "8.03 B parameters", but "15 GB"
  return fmt::format("{} {}{}{}", number, prefix, gap, unit);
}

bool is_whole(Number value) { return value == std::floor(value) && std::abs(value) < 9.2e18L; }

// The words of a text in lines of at most `width` characters, as far as its words allow.
std::vector<std::string> wrapped(std::string_view text, size_t width) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    size_t end = std::min(text.find(' '), text.size());
    if (!lines.back().empty() && lines.back().size() + 1 + end > width) lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

size_t width_of(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

constexpr size_t page = 100;

void put(std::string& out, const std::string& head, std::string_view text) {
  size_t indent = std::min(width_of(head), page / 2);
  bool first = true;
  for (const auto& line : wrapped(text, page - indent)) {
    out += (first ? head : std::string(indent, ' ')) + line + "\n";
    first = false;
  }
}

// Whole numbers stay whole.
nlohmann::ordered_json json_number(Number value) {
  if (is_whole(value)) return static_cast<int64_t>(value);
  return static_cast<double>(value);
}

}  // namespace

std::string amount(Number value, std::string_view unit, int digits) {
  Prefix p = prefix_of(value, unit, digits);
  return with_unit(digits_of(value / p.factor, digits), p.text, unit);
}

std::string full_amount(Number value, std::string_view unit, int digits) {
  bool rate = unit.find('/') != unit.npos;  // measured, not counted
  return is_whole(value) && !rate ? with_unit(grouped(static_cast<int64_t>(value)), "", unit)
                                  : amount(value, unit, digits);
}

std::string reason_text(const Sheet::Reason& r) {
  std::string value = full_amount(r.value, r.label.unit), brief = amount(r.value, r.label.unit);
  std::string out;
  put(out, "", fmt::format("{} = {}{}: {}", r.label.name, value, value == brief ? "" : ", " + brief, r.label.meaning));
  if (!r.formula.empty()) {
    put(out, "  formula      ", r.formula);
    put(out, "  with values  ", r.with_values);
  }
  if (!r.label.provenance.empty()) put(out, "  from         ", r.label.provenance);

  if (!r.inputs.empty()) {
    size_t names = 0, values = 0;
    auto name_of = [](const auto& i) { return std::string(static_cast<size_t>(2 + 2 * i.depth), ' ') + i.label.name; };
    for (const auto& i : r.inputs) {
      names = std::max(names, name_of(i).size());
      values = std::max(values, width_of(full_amount(i.value, i.label.unit)));
    }
    out += "\ninputs\n";
    for (const auto& i : r.inputs) {
      std::string text = full_amount(i.value, i.label.unit);
      std::string head =
          fmt::format("{:<{}}  {}{}  ", name_of(i), names, std::string(values - width_of(text), ' '), text);
      put(out, head, i.formula.empty() ? i.label.provenance : "= " + i.formula + (i.repeated ? " (as above)" : ""));
    }
  }
  if (!r.functions.empty()) {
    out += "\nfunctions\n";
    for (const auto& f : r.functions)
      put(out, "  ", fmt::format("{}: {}{}{}", f.name, f.meaning, f.provenance.empty() ? "" : "; ", f.provenance));
  }
  if (!r.sensitivities.empty()) {
    size_t names = 0;
    for (const auto& s : r.sensitivities) names = std::max(names, s.name.size());
    out += "\n+1 % of one of these changes it by\n";
    for (const auto& s : r.sensitivities)
      out += fmt::format("  {:<{}}  {:+7.3f} %\n", s.name, names, static_cast<double>(s.percent));
  }
  return out;
}

nlohmann::ordered_json reason_json(const Sheet::Reason& r) {
  using Json = nlohmann::ordered_json;
  auto head = [](const Label& l, Number value, const std::string& formula) {
    Json j{{"name", l.name}, {"value", json_number(value)}, {"unit", l.unit}, {"meaning", l.meaning}};
    if (!l.provenance.empty()) j["provenance"] = l.provenance;
    if (!formula.empty()) j["formula"] = formula;
    return j;
  };
  Json j = head(r.label, r.value, r.formula);
  if (!r.with_values.empty()) j["with_values"] = r.with_values;
  j["inputs"] = Json::array();
  for (const auto& i : r.inputs) {
    Json input = head(i.label, i.value, i.formula);
    input["depth"] = i.depth;
    j["inputs"].push_back(std::move(input));
  }
  j["functions"] = Json::array();
  for (const auto& f : r.functions) {
    Json function{{"name", f.name}, {"unit", f.unit}, {"meaning", f.meaning}};
    if (!f.provenance.empty()) function["provenance"] = f.provenance;
    j["functions"].push_back(std::move(function));
  }
  j["sensitivities"] = Json::array();
  for (const auto& s : r.sensitivities)
    j["sensitivities"].push_back({{"name", s.name}, {"percent", static_cast<double>(s.percent)}});
  return j;
}

}  // namespace ridgeline
