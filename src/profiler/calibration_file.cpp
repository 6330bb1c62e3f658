#include "profiler/calibration_file.h"

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/limits.h"
#include "base/mapped_file.h"
#include "base/printable.h"
#include "base/replacement_file.h"

namespace ridgeline {
namespace {

namespace fs = std::filesystem;
using SystemTime = std::chrono::system_clock::time_point;
constexpr std::string_view remedy = "measure this machine with: ridgeline calibrate";
constexpr std::string_view beginning = "{\n  \"format\": \"ridgeline-hardware-";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// "2026-11-27" or "2026-11-27T20:14:03Z".
std::optional<SystemTime> time_of(std::string_view date) {
  auto number = [&](size_t at, size_t digits) {
    int n = -1;
    if (at + digits <= date.size()) std::from_chars(date.data() + at, date.data() + at + digits, n);
    return n;
  };
  using namespace std::chrono;
  auto day = year(number(0, 4)) / number(5, 2) / number(8, 2);
  if (!day.ok()) return {};
  SystemTime t = sys_days(day);
  if (date.size() == 10) return t;
  int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return {};
  return t + hours(hour) + minutes(minute) + seconds(second);
}

}  // namespace

std::string calibration_path() {
  std::string caches = variable("XDG_CACHE_HOME"), home = variable("HOME");
  if (caches.empty() && home.empty())
    fail(ExitCode::bad_config, "no_home",
         "neither XDG_CACHE_HOME nor HOME is set, so there is no place for the measured machine; give a file");
  return (caches.empty() ? home + "/.cache" : caches) + "/ridgeline/hardware.json";
}

void require_calibration_writable(const std::string& path) {
  bool own = (!variable("XDG_CACHE_HOME").empty() || !variable("HOME").empty()) && path == calibration_path();
  std::error_code error;
  if (own) {
    fs::create_directories(fs::path(path).parent_path(), error);
    if (error)
      fail(ExitCode::io, "write_failed", "cannot make the folder {}: {}; choose a file with -o",
           fs::path(path).parent_path().string(), error.message());
  }
  if (auto kind = fs::status(path, error).type(); kind != fs::file_type::not_found && kind != fs::file_type::none) {
    std::string begins(beginning.size(), '\0');
    bool readable =
        kind == fs::file_type::regular &&
        std::ifstream(path, std::ios::binary).read(begins.data(), static_cast<std::streamsize>(begins.size()));
    if (kind != fs::file_type::regular || (!own && !(readable && begins == beginning)))
      fail(ExitCode::usage, "not_a_hardware_file", "{} is there, and is no hardware file: choose another name",
           escaped(path));
  }
  ReplacementFile probe(path);
}

void save_calibration(const Hardware& h, const std::string& path) {
  require_calibration_writable(path);
  ReplacementFile file(path);
  file.write(hardware_json(h).dump(2) + "\n");
  file.finish();
}

Hardware load_calibration(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error))
    fail(ExitCode::cannot_open, "not_calibrated", "this machine has not been measured: there is no {}\n{}",
         escaped(path), remedy);
  try {
    auto file = MappedFile::open(path);
    if (file.bytes().size() > limits::config_bytes)
      fail(ExitCode::bad_config, "hardware_file", "{} is too long for a hardware file", escaped(path));
    std::vector<std::byte> text = file.copy(0, file.bytes().size());
    return parse_hardware({reinterpret_cast<const char*>(text.data()), text.size()}, path);
  } catch (const Error& e) { throw Error(e.code(), e.id(), fmt::format("{}\n{}", e.what(), remedy)); }
}

std::string date_text(SystemTime t) {
  std::time_t seconds = std::chrono::system_clock::to_time_t(t);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string age_text(std::string_view date, SystemTime now) {
  auto then = time_of(date);
  if (!then) return "at an unknown time";
  double age = std::chrono::duration<double>(now - *then).count();
  if (age < -60) return "at a time that has not come yet";
  if (age < 60) return "less than a minute ago";
  constexpr std::pair<double, const char*> units[] = {
      {365.25 * 86400, "year"}, {86400, "day"}, {3600, "hour"}, {60, "minute"}};
  for (auto [seconds, name] : units)
    if (age >= seconds) {
      auto n = static_cast<int64_t>(age / seconds);
      return fmt::format("{} {}{} ago", n, name, n == 1 ? "" : "s");
    }
  return "less than a minute ago";
}

Provenance provenance_of(const Hardware& h, std::string_view processor, SystemTime now) {
  Provenance p;
  if (!h.measured) {
    p.note = "does not say when or where it was measured";
    return p;
  }
  const Measurement& m = *h.measured;
  p.note = fmt::format("measured {} on {}, {} {}", age_text(m.date, now), escaped(m.processor), m.threads,
                       m.threads == 1 ? "thread" : "threads");
  if (m.processor != processor)
    p.warnings.push_back(fmt::format("this machine has another processor, {}: its figures differ", escaped(processor)));
  auto then = time_of(m.date);
  if (!then || *then - now > std::chrono::minutes(1))
    p.warnings.push_back(fmt::format("its age is not known: it is dated {}", printable(m.date)));
  else if (now - *then > std::chrono::days(30))
    p.warnings.push_back("it is older than 30 days: measure again with: ridgeline calibrate");
  if (m.contended)
    p.warnings.push_back(
        "other work was on the machine while it was measured, so predictions are too slow; measure again with: "
        "ridgeline calibrate");
  return p;
}

}  // namespace ridgeline
