#include <nlohmann/json.hpp>

#include "base/scratch_folder.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cost/hardware.h"
#include "process.h"

namespace ridgeline {
namespace {

TEST(CalibrateCommand, WritesAHardwareFileAndSaysWhatItMeasured) {
  ScratchFolder folder;
  std::string file = folder / "it.json";
  auto r = run_command(add_calibrate, fmt::format("calibrate --seconds 0.1 -t 2 -o {} --json", file));
  ASSERT_EQ(r.code, 0) << r.error;
  auto j = nlohmann::ordered_json::parse(r.out);
  EXPECT_EQ(j["file"], file);
  Hardware h = parse_hardware(content_of(file), file);
  EXPECT_EQ(hardware_json(h), j["hardware"]);
  EXPECT_EQ(h.measured->threads, 2);

  auto text = run_command(add_calibrate, fmt::format("calibrate --seconds 0.1 -t 1 -o {}", file));
  ASSERT_EQ(text.code, 0) << text.error;
  EXPECT_NE(text.out.find("reads "), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("written to " + file), std::string::npos) << text.out;
  EXPECT_EQ(parse_hardware(content_of(file), file).measured->threads, 1);
}

TEST(CalibrateCommand, RefusesAWrongCommandLineBeforeItMeasures) {
  ScratchFolder folder;
  for (std::string options : {"-t x", "-t -1", "-t 100000", "--seconds 0", "--seconds 1e9", "-o", "extra"})
    EXPECT_EQ(run_command(add_calibrate, "calibrate " + options).code, 2) << options;
  auto refused = [&](const std::string& file) {
    return run_command(add_calibrate, fmt::format("calibrate --seconds 600 -o {}", file));
  };
  EXPECT_EQ(refused(folder / "no/it.json").code, 74);
  EXPECT_EQ(refused(folder.path()).code, 2);
  EXPECT_EQ(refused(folder.write("notes.txt", "dear")).code, 2);
}

TEST(CalibrateCommand, PlanHereUsesWhatWasMeasuredAndSaysHowOldItIs) {
  ScratchFolder folder;
  ProcessOptions in_folder;
  in_folder.environment = {{"XDG_CACHE_HOME", folder.path()}};
  const std::vector<std::string> plan{"plan", "smollm2-135m", "--hw", "here", "--json"};
  auto none = run_ridgeline(plan, in_folder);
  EXPECT_EQ(none.status, 66);
  EXPECT_NE(none.err.find("ridgeline calibrate"), std::string::npos) << none.err;

  auto measured = run_ridgeline({"calibrate", "--seconds", "0.1", "-t", "2"}, in_folder);
  ASSERT_EQ(measured.status, 0) << measured.err;
  std::string file = folder / "ridgeline/hardware.json";
  EXPECT_NE(measured.out.find("--hw here"), std::string::npos) << measured.out;
  auto used = run_ridgeline(plan, in_folder);
  ASSERT_EQ(used.status, 0) << used.err;
  EXPECT_NE(used.err.find("measured less than a minute ago on "), std::string::npos) << used.err;
  EXPECT_NE(used.err.find(", 2 threads\n"), std::string::npos) << used.err;
  EXPECT_EQ(used.err.find("another processor"), std::string::npos) << used.err;

  auto j = nlohmann::ordered_json::parse(content_of(file));
  j["measured"]["date"] = "2020-01-01T00:00:00Z", j["measured"]["processor"] = "Another",
  j["measured"]["contended"] = true;
  std::ofstream(file) << j;
  auto warned = run_ridgeline(plan, in_folder);
  ASSERT_EQ(warned.status, 0) << warned.err;
  for (const char* words : {"on Another, 2 threads", "another processor", "older than 30 days", "other work was on"})
    EXPECT_NE(warned.err.find(words), std::string::npos) << words << "\n" << warned.err;

  std::ofstream(file) << "{";
  auto broken = run_ridgeline(plan, in_folder);
  EXPECT_EQ(broken.status, 78);
  EXPECT_NE(broken.err.find("ridgeline calibrate"), std::string::npos) << broken.err;
}

}  // namespace
}  // namespace ridgeline
