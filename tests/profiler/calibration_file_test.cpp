#include "profiler/calibration_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/refused.h"
#include "base/scratch_folder.h"

namespace ridgeline {
namespace {

using namespace std::chrono_literals;
const std::chrono::system_clock::time_point noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27) + 12h;

class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* was = std::getenv(name)) was_ = was;
    setenv(name, value.c_str(), 1);
  }
  ~Variable() { was_ ? setenv(name_, was_->c_str(), 1) : unsetenv(name_); }
  Variable(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> was_;
};

Hardware made_up() {
  SourcedValue figure{.value = 1e10, .source = "made up", .spread = 0.1};
  Hardware h{.name = "here", .title = "a machine", .kind = Hardware::Kind::cpu, .activations = DType::f32};
  h.peaks[Arithmetic::fp32] = figure;
  h.bandwidth = figure, h.capacity = figure;
  h.measured = Measurement{"2026-11-27T12:00:00Z", "AMD EPYC", 2, false};
  return h;
}

TEST(CalibrationPath, IsInTheUsersCache) {
  Variable home("HOME", "/home/someone");
  {
    Variable cache("XDG_CACHE_HOME", "/caches");
    EXPECT_EQ(calibration_path(), "/caches/ridgeline/hardware.json");
  }
  Variable cache("XDG_CACHE_HOME", "");
  EXPECT_EQ(calibration_path(), "/home/someone/.cache/ridgeline/hardware.json");
  Variable nowhere("HOME", "");
  EXPECT_TRUE(refused(ExitCode::bad_config, "no_home", {"XDG_CACHE_HOME"}, [] { calibration_path(); }));
}

TEST(CalibrationFile, IsReadAsItWasWrittenAndReplaced) {
  ScratchFolder folder;
  Variable cache("XDG_CACHE_HOME", folder / "deep/cache");
  Hardware h = made_up();
  std::string path = calibration_path();
  save_calibration(h, path);  // the folder is made
  EXPECT_EQ(hardware_json(load_calibration(path)), hardware_json(h));
  std::ofstream(path) << "{\"half\":";  // in the place that is ours, whatever is there goes
  save_calibration(h, path);
  EXPECT_EQ(hardware_json(load_calibration(path)), hardware_json(h));
  std::string other = folder / "other.json";
  save_calibration(h, other);
  h.name = "changed";
  save_calibration(h, other);
  EXPECT_EQ(load_calibration(other).name, "changed");
}

TEST(CalibrationFile, DoesNotTakeThePlaceOfAnythingElse) {
  ScratchFolder folder;
  std::string model = folder.write("model.gguf", "GGUF and many bytes of weights that were dear");
  for (const std::string& path : {model, folder.path(), std::string("/dev/null"), folder.write("short", "{")})
    EXPECT_TRUE(refused(ExitCode::usage, "not_a_hardware_file", {path}, [&] { save_calibration(made_up(), path); }));
  EXPECT_TRUE(content_of(model).starts_with("GGUF"));
  EXPECT_TRUE(refused(ExitCode::io, "write_failed", {folder / "no/it", "No such file"},
                      [&] { save_calibration(made_up(), folder / "no/it"); }));
  // A file where the cache's folder should be.
  Variable cache("XDG_CACHE_HOME", model);
  EXPECT_TRUE(
      refused(ExitCode::io, "write_failed", {model, "-o"}, [] { save_calibration(made_up(), calibration_path()); }));
}

TEST(CalibrationFile, WhereThereIsNoneOrABrokenOneTheCommandIsNamed) {
  ScratchFolder folder;
  constexpr auto command = "ridgeline calibrate";
  EXPECT_TRUE(refused(ExitCode::cannot_open, "not_calibrated", {"has not been measured", folder / "none", command},
                      [&] { load_calibration(folder / "none"); }));
  auto broken = [&](const std::string& text, const char* says) {
    std::string path = folder.write("broken.json", text);
    EXPECT_TRUE(refused(ExitCode::bad_config, "hardware_file", {path, says, command}, [&] { load_calibration(path); }));
  };
  broken("", "broken.json");
  broken("{\"format\": \"ridgeline-hard", "broken.json");
  broken("[]", "should be an object");
  auto j = hardware_json(made_up());
  j["memory"]["bandwidth"].erase("unit");
  broken(j.dump(), "memory.bandwidth lacks \"unit\"");
  broken(std::string(5 << 20, ' '), "too long");
  EXPECT_TRUE(refused(ExitCode::cannot_open, "cannot_open", {command}, [&] { load_calibration(folder.path()); }));
}

TEST(CalibrationAge, IsSaidInTheLargestUnit) {
  auto age = [](const char* date) { return age_text(date, noon); };
  EXPECT_EQ(date_text(noon), "2026-11-27T12:00:00Z");
  EXPECT_EQ(age("2026-11-27T12:00:00Z"), "less than a minute ago");
  EXPECT_EQ(age("2026-11-27T11:58:59Z"), "1 minute ago");
  EXPECT_EQ(age("2026-11-27T09:00:00Z"), "3 hours ago");
  EXPECT_EQ(age("2026-11-26T11:00:00Z"), "1 day ago");
  EXPECT_EQ(age("2026-11-24"), "3 days ago");
  EXPECT_EQ(age("2024-11-01T00:00:00Z"), "2 years ago");
  EXPECT_EQ(age("2026-11-28T12:00:00Z"), "at a time that has not come yet");
  for (const char* none : {"", "yesterday", "2026-13-01", "2026-02-30", "26-11-27", "2026-11-27T99:99:99Z"})
    EXPECT_EQ(age(none), "at an unknown time") << none;
}

TEST(CalibrationProvenance, SaysHowFarAFileCanBeTrusted) {
  Hardware h = made_up();
  auto at = [&](std::chrono::seconds later, const char* processor = "AMD EPYC") {
    return provenance_of(h, processor, noon + later);
  };
  EXPECT_EQ(at(72h).note, "measured 3 days ago on AMD EPYC, 2 threads");
  EXPECT_TRUE(at(72h).warnings.empty());
  auto one = [](const Provenance& p) { return p.warnings.size() == 1 ? p.warnings[0] : "not one"; };
  EXPECT_NE(one(at(72h, "Intel Xeon")).find("another processor, Intel Xeon"), std::string::npos);
  EXPECT_NE(one(at(31 * 24h)).find("older than 30 days"), std::string::npos);
  EXPECT_NE(one(at(-24h)).find("age is not known"), std::string::npos);
  h.measured->contended = true;
  EXPECT_NE(one(at(72h)).find("other work was on the machine"), std::string::npos);
  EXPECT_EQ(at(31 * 24h, "Intel Xeon").warnings.size(), 3u);
  h.measured->processor = "\x1b[2J";
  EXPECT_EQ(at(72h).note.find('\x1b'), std::string::npos);
  h.measured.reset();
  EXPECT_NE(at(72h).note.find("does not say"), std::string::npos);
}

}  // namespace
}  // namespace ridgeline
