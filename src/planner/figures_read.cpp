#include <charconv>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/printable.h"
#include "planner/figures.h"

namespace ridgeline {
namespace {

template <class... A>
[[noreturn]] void bad(fmt::format_string<A...> text, A&&... args) {
  fail(ExitCode::bad_config, "figure", "figures: {}", fmt::format(text, std::forward<A>(args)...));
}

struct Unit {
  std::string_view printed;
  Number scale;
  std::string_view unit;
};
// What essays abbreviate. Any other unit stands for itself.
constexpr Unit units[] = {
    {"x", 1, "1"},
    {"%", 0.01L, "1"},
    {"M parameters", 1e6L, "parameters"},
    {"B parameters", 1e9L, "parameters"},
    {"KB", 1e3L, "B"},
    {"MB", 1e6L, "B"},
    {"GB", 1e9L, "B"},
    {"MiB", 1048576, "B"},
    {"TB/s", 1e12L, "B/s"},
    {"MFLOP", 1e6L, "FLOP"},
    {"GFLOP", 1e9L, "FLOP"},
    {"TFLOP/s", 1e12L, "FLOP/s"},
    {"PFLOP/s", 1e15L, "FLOP/s"},
    {"ms", 1e-3L, "s"},
    {"µs", 1e-6L, "s"},
};

struct Digits {
  Number value, place;
  int significant;
};

// "1,024", "3.35"
Digits read_digits(std::string_view word, std::string_view all) {
  std::string plain;
  for (char c : word)
    if (c != ',') plain += c;
  Number value = 0;
  auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != plain.data() + plain.size() || plain.empty())
    bad("{}: {} is no number", printable(all), printable(word));
  size_t point = plain.find('.');
  size_t decimals = point == plain.npos ? 0 : plain.size() - point - 1;
  std::string digits = plain;
  std::erase(digits, '.');
  digits.erase(0, digits.find_first_not_of('0'));
  if (!decimals) digits.erase(digits.find_last_not_of('0') + 1);
  return {value, std::pow(10.0L, -static_cast<Number>(decimals)), static_cast<int>(digits.size())};
}

}  // namespace

ClaimedNumber ClaimedNumber::parse(std::string_view all) {
  ClaimedNumber c;
  std::string_view rest = all;
  c.about = rest.starts_with('~');
  if (c.about) rest.remove_prefix(1);
  std::string_view whole = rest;
  auto word = [&] {
    size_t end = std::min(rest.find(' '), rest.size());
    std::string_view first = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return first;
  };
  Digits least = read_digits(word(), all), most = least;
  if (rest.starts_with("to ")) {
    word();
    most = read_digits(word(), all);
  }
  c.number = whole.substr(0, whole.size() - rest.size());
  if (c.number.ends_with(' ')) c.number.pop_back();
  if (rest.empty()) bad("{}: no unit; x, % and 1 are units too", printable(all));
  c.printed_unit = c.unit = rest;
  for (const auto& u : units)
    if (u.printed == rest) c.scale = u.scale, c.unit = u.unit;
  c.least = least.value * c.scale, c.most = most.value * c.scale;
  c.place = least.place * c.scale, c.digits = least.significant;
  return c;
}

bool ClaimedNumber::is_printed_as(Number value) const {
  Number printed = std::round(value / place);
  return printed >= std::round(least / place) && printed <= std::round(most / place);
}

bool ClaimedNumber::is_near(Number value) const {
  Number share = std::pow(10.0L, static_cast<Number>(1 - std::max(digits, 2)));
  return value >= least * (1 - share) && value <= most * (1 + share);
}

namespace {

// A row, whose members are each taken once; what is left over is a mistake.
class Row {
 public:
  explicit Row(const Json& row) : row_(row) {
    if (!row.is_object()) bad("expected a row, found {}", printable(row.dump()));
    id_ = text("id");
    if (id_.empty()) bad("a row without id: {}", printable(row.dump()));
  }
  const std::string& id() const { return id_; }
  // Empty where it is missing.
  std::string text(const char* key) {
    auto all = texts(key);
    if (all.size() > 1) bad("{}, {}: expected one text", id_, key);
    return all.empty() ? "" : all[0];
  }
  // A text or a list of texts.
  std::vector<std::string> texts(const char* key) {
    taken_.insert(key);
    if (!row_.contains(key)) return {};
    const Json& value = row_.at(key);
    std::vector<std::string> all;
    for (const auto& each : value.is_array() ? value : Json::array({value})) {
      if (!each.is_string() || each.get<std::string>().empty())
        bad("{}, {}: expected a text, found {}", id_, key, printable(each.dump()));
      all.push_back(each.get<std::string>());
    }
    return all;
  }
  Expression expression(const std::string& text) const {
    try {
      return Expression::parse(text);
    } catch (const Error& e) { throw e.in(id_); }
  }
  void check_all_taken() const {
    for (const auto& [key, value] : row_.items())
      if (!taken_.contains(key)) bad("{}: unknown member {}", id_, printable(key));
  }

 private:
  const Json& row_;
  std::string id_;
  std::set<std::string> taken_;
};

Figure read_row(const Json& json) {
  Row row(json);
  Figure f{.id = row.id(), .claim = row.text("claim"), .says = row.text("says")};
  if (f.claim.empty()) bad("{}: no claim", f.id);
  auto claimed = row.texts("claimed"), values = row.texts("value"), stated = row.texts("stated");
  if (claimed.size() != values.size() || stated.size() > values.size())
    bad("{}: {} numbers claimed, {} values, {} stated", f.id, claimed.size(), values.size(), stated.size());
  for (size_t i = 0; i < claimed.size(); ++i) {
    Figure::Part part{ClaimedNumber::parse(claimed[i]), row.expression(values[i]), {}};
    if (i < stated.size()) part.stated = row.expression(stated[i]);
    f.parts.push_back(std::move(part));
  }
  auto holds = row.texts("holds");
  std::string unit = row.text("unit");
  if (!holds.empty()) {
    if (holds.size() != 3) bad("{}, holds: expected left, sign and right", f.id);
    f.holds = {row.expression(holds[0]), row.expression(holds[2]), holds[1], unit};
    row.expression("1 " + holds[1] + " 1");
  }
  std::string added = row.text("added");
  if (!added.empty()) f.added = row.expression(added), f.added_unit = unit;
  if ((f.holds || f.added) == unit.empty()) bad("{}: a unit goes with holds or added, and only with them", f.id);
  f.no_arithmetic = row.text("no_arithmetic");
  f.note = row.text("note");
  row.check_all_taken();
  int kinds = !f.parts.empty() + f.holds.has_value() + f.added.has_value() + !f.no_arithmetic.empty();
  if (kinds != 1) bad("{}: expected one of claimed, holds, added and no_arithmetic, found {}", f.id, kinds);
  return f;
}

}  // namespace

FigureDocument read_figures(std::string_view text) {
  Json json = read_json(text, {"figure", "figures"});
  if (!json.is_object() || json.size() != 3 || !json.contains("title") || !json.contains("subject") ||
      !json.contains("figures") || !json["title"].is_string() || !json["subject"].is_string() ||
      !json["figures"].is_array())
    bad("expected title, subject and figures");
  FigureDocument d{json["title"].get<std::string>(), json["subject"].get<std::string>(), {}};
  std::set<std::string> ids;
  for (const auto& row : json["figures"]) {
    d.figures.push_back(read_row(row));
    if (!ids.insert(d.figures.back().id).second) bad("{} is there twice", d.figures.back().id);
  }
  return d;
}

std::vector<FigureDocument> figure_documents() {
  std::vector<FigureDocument> all;
  for (auto text : figure_files()) all.push_back(read_figures(text));
  return all;
}

}  // namespace ridgeline
