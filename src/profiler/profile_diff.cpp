#include "profiler/profile_diff.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/printable.h"
#include "base/text_table.h"
#include "cost/units.h"
#include "formats/json_file.h"
#include "profiler/profile_report.h"

namespace ridgeline {
namespace {

[[noreturn]] void bad(std::string_view what) { fail(ExitCode::bad_data, "profile_file", "{}", what); }

const Json& member(const Json& j, const std::string& place, const char* key) {
  if (!j.is_object()) bad(fmt::format("{} should be an object, and is {}", place, j.type_name()));
  auto at = j.find(key);
  if (at == j.end()) bad(fmt::format("{} lacks \"{}\"; expected what `ridgeline profile --json` writes", place, key));
  return *at;
}
double seconds(const Json& j, const std::string& place, const char* key) {
  const Json& value = member(j, place, key);
  double x = value.is_number() ? value.get<double>() : NAN;
  if (!std::isfinite(x) || x < 0)
    bad(fmt::format("{}: \"{}\" should be a number from 0 on, and is {}", place, key, printable(value.dump())));
  return x;
}
std::string text(const Json& j, const std::string& place, const char* key) {
  const Json& value = member(j, place, key);
  if (!value.is_string()) bad(fmt::format("{}: \"{}\" should be a text, and is {}", place, key, value.type_name()));
  return value.get<std::string>();
}

SavedProfile read(const Json& j) {
  if (std::string format = text(j, "the profile", "format"); format != profile_format)
    bad(fmt::format("the profile is of the format {}; expected {}", printable(format), profile_format));
  SavedProfile p{.model = text(j, "the profile", "model"), .batch = text(j, "the profile", "batch")};
  const Json& step = member(j, "the profile", "step");
  p.step = seconds(step, "step", "measured_seconds"), p.ideal = seconds(step, "step", "ideal_seconds");
  if (p.step <= 0) bad("step: \"measured_seconds\" should be more than 0");
  const Json& kinds = member(j, "the profile", "kinds");
  if (!kinds.is_array()) bad(fmt::format("kinds should be a list, and is {}", kinds.type_name()));
  for (const Json& kind : kinds) {
    std::string place = fmt::format("kinds[{}]", p.rows.size());
    p.rows.push_back({text(kind, place, "name"), seconds(kind, place, "measured_seconds"),
                      seconds(kind, place, "ideal_seconds"), seconds(kind, place, "roof")});
    auto same = [&](const SavedProfile::Row& r) { return r.name == p.rows.back().name; };
    if (std::count_if(p.rows.begin(), p.rows.end(), same) > 1)
      bad(fmt::format("{} is there twice: {}", place, printable(p.rows.back().name)));
  }
  for (auto [key, name] :
       {std::pair{"barriers", "barriers"}, {"sampling", "choosing the token"}, {"unexplained", "not explained"}})
    p.rows.push_back({name, seconds(member(j, "the profile", key), key, "measured_seconds")});
  return p;
}

// What the second run may take without being slower.
double allowed(double before, double roof_before, double roof_after) {
  return roof_before > 0 && roof_after > 0 ? before * std::max(1.0, roof_before / roof_after) : before;
}
double slower(double before, double after, double allowed) {
  return after > before ? std::max(0.0, after - allowed) : after - before;
}

std::string change_text(double before, double after) {
  if (before <= 0) return "new";
  if (after <= 0) return "gone";
  return fmt::format("{:+.1f} %", 100 * (after / before - 1));
}
std::string ms(double s) { return fmt::format("{:.3f}", s * 1e3); }
std::string of_roof(const std::vector<SavedProfile::Row>& rows, const std::string& name) {
  auto at = std::ranges::find(rows, name, &SavedProfile::Row::name);
  if (at == rows.end() || at->ideal <= 0 || at->measured <= 0) return "-";
  return fmt::format("{:.0f} %", 100 * at->ideal / at->measured);
}

}  // namespace

SavedProfile read_profile(const std::string& path) {
  Json j = read_json_file(path, {"profile_file", path});
  try {
    SavedProfile p = read(j);
    p.file = path;
    return p;
  } catch (const Error& e) { throw e.loading(path); }
}

ProfileDifference compare(SavedProfile before, SavedProfile after) {
  ProfileDifference d{.before = std::move(before), .after = std::move(after)};
  double allowed_step = 0;
  for (const auto& a : d.before.rows) {
    auto b = std::ranges::find(d.after.rows, a.name, &SavedProfile::Row::name);
    double now = b == d.after.rows.end() ? 0 : b->measured;
    double limit = b == d.after.rows.end() ? a.measured : allowed(a.measured, a.roof, b->roof);
    d.rows.push_back({a.name, a.measured, now, slower(a.measured, now, limit)});
    allowed_step += limit;
  }
  for (const auto& b : d.after.rows)
    if (std::ranges::find(d.before.rows, b.name, &SavedProfile::Row::name) == d.before.rows.end())
      d.rows.push_back({b.name, 0, b.measured, b.measured});
  std::ranges::stable_sort(d.rows, std::greater{}, &ProfileDifference::Row::slower);
  d.slower = slower(d.before.step, d.after.step, allowed_step);
  return d;
}

const ProfileDifference::Row* ProfileDifference::regressed() const {
  return rows.empty() || rows.front().slower <= 0 ? nullptr : &rows.front();
}
double ProfileDifference::regression() const {
  double most = std::max(0.0, slower);
  if (auto* row = regressed()) most = std::max(most, row->slower);
  return most / before.step;
}

std::string difference_text(const ProfileDifference& d) {
  const SavedProfile &a = d.before, &b = d.after;
  std::string out = fmt::format("{}   step: {}\n", escaped(a.model), escaped(a.batch));
  if (a.model != b.model || a.batch != b.batch)
    out += fmt::format("not the same step: then {} with --batch {}\n", escaped(b.model), escaped(b.batch));
  out += fmt::format("step {} -> {}: {}, {:.0f} % -> {:.0f} % of the roof\n", time_text(a.step), time_text(b.step),
                     change_text(a.step, b.step), 100 * a.ideal / a.step, 100 * b.ideal / b.step);
  if (auto* worst = d.regressed())
    out += fmt::format("slower: {}, by {} = {:.1f} % of the step\n", escaped(worst->name), time_text(worst->slower),
                       100 * worst->slower / a.step);
  else
    out += "nothing became slower than the machine explains\n";
  TextTable table({{"where", TextTable::Align::left},
                   {"before ms"},
                   {"after ms"},
                   {"change"},
                   {"of roof before"},
                   {"after"},
                   {"slower ms"}});
  for (const auto& row : d.rows)
    table.row({escaped(row.name, 46), ms(row.before), ms(row.after), change_text(row.before, row.after),
               of_roof(a.rows, row.name), of_roof(b.rows, row.name), ms(row.slower)});
  return out + "\n" + table.text() +
         "\nSlower: beyond what a lower roof of the machine in the second run allows for.\n";
}

nlohmann::ordered_json difference_json(const ProfileDifference& d) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const auto& r : d.rows)
    rows.push_back(
        {{"name", r.name}, {"before_seconds", r.before}, {"after_seconds", r.after}, {"slower_seconds", r.slower}});
  nlohmann::ordered_json j{{"before", d.before.file},
                           {"after", d.after.file},
                           {"step_before_seconds", d.before.step},
                           {"step_after_seconds", d.after.step},
                           {"step_slower_seconds", d.slower},
                           {"regression", d.regression()}};
  j["regressed"] = d.regressed() ? nlohmann::ordered_json(d.regressed()->name) : nlohmann::ordered_json();
  j["rows"] = rows;
  return j;
}

}  // namespace ridgeline
