#include "cost/hardware.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/refused.h"

namespace ridgeline {
namespace {

using Json = nlohmann::ordered_json;

Json h100() { return hardware_json(hardware_named("h100")); }
Hardware read(const Json& j) { return parse_hardware(j.dump(), "file.json"); }

TEST(HardwareCatalogue, EveryFileIsReadHasItsNameAndItsDatasheetsRidge) {
  EXPECT_GE(hardware_catalogue().size(), 20u);
  std::set<std::string> names;
  for (const Hardware& h : hardware_catalogue()) {
    EXPECT_TRUE(names.insert(h.name).second) << h.name;
    for (const auto& alias : h.aliases) EXPECT_TRUE(names.insert(alias).second) << alias;
    EXPECT_EQ(hardware_json(read(hardware_json(h))), hardware_json(h)) << h.name;
    EXPECT_GT(h.ridge(Arithmetic::bf16), 5) << h.name;
    EXPECT_LT(h.ridge(Arithmetic::bf16), 600) << h.name;  // a peak with sparsity, or a unit too many, would be outside
  }
  EXPECT_NEAR(hardware_named("h100").ridge(Arithmetic::bf16), 295.3, 0.1);
  EXPECT_NEAR(hardware_named("a100").ridge(Arithmetic::bf16), 153, 0.1);
  EXPECT_NEAR(hardware_named("h100").ridge(Arithmetic::int8), 590.7, 0.1);
}

TEST(HardwareCatalogue, AMachineWithoutAnArithmeticComputesInAWiderOne) {
  EXPECT_EQ(hardware_named("a100").peak(Arithmetic::fp8).arithmetic, Arithmetic::bf16);
  EXPECT_EQ(hardware_named("h100").peak(Arithmetic::fp8).arithmetic, Arithmetic::fp8);
}

TEST(HardwareCatalogue, AnUnknownNameIsToldTheNearest) {
  EXPECT_TRUE(refused(ExitCode::usage, "unknown_hardware", {"h100-sxm"}, [] { hardware_named("h10"); }));
}

TEST(HardwareFile, RefusesWhatARooflineCannotUse) {
  auto expect_refused = [](auto change, const char* says) {
    Json j = h100();
    change(j);
    EXPECT_TRUE(refused(ExitCode::bad_config, "hardware_file", {says}, [&] { read(j); }));
  };
  expect_refused([](Json& j) { j["peaks"]["bf16"]["sparsity"] = "2:4"; },
                 "file.json: peaks.bf16 is a peak with sparsity \"2:4\"");
  expect_refused([](Json& j) { j["peaks"]["bf16"].erase("sparsity"); }, "peaks.bf16 lacks \"sparsity\"");
  expect_refused([](Json& j) { j["memory"]["bandwidth"].erase("unit"); }, "memory.bandwidth lacks \"unit\"");
  expect_refused([](Json& j) { j["memory"]["bandwidth"]["unit"] = "GB/s"; },
                 "memory.bandwidth is in GB/s; expected B/s");
  expect_refused([](Json& j) { j["memory"]["capacity"]["value"] = -1; }, "memory.capacity.value should be a number");
  expect_refused([](Json& j) { j["memory"]["capacity"]["value"] = 0; }, "memory.capacity should be more than 0");
  expect_refused([](Json& j) { j["memory"]["capacity"]["value"] = "80 GB"; },
                 "memory.capacity.value should be a number");
  expect_refused([](Json& j) { j["peaks"]["bf16"].erase("source"); }, "peaks.bf16 lacks \"source\"");
  expect_refused([](Json& j) { j["peaks"]["bf17"] = j["peaks"]["bf16"]; }, "peaks has \"bf17\", which is not known");
  expect_refused([](Json& j) { j["peaks"] = Json::object(); }, "peaks should hold at least one");
  expect_refused([](Json& j) { j["format"] = "other"; }, "is of another format");
  expect_refused([](Json& j) { j["kind"] = "tpu"; }, "expected gpu or cpu");
  expect_refused([](Json& j) { j["memory"] = 3; }, "memory should be an object");
  expect_refused([](Json& j) { j["efficiency"]["memory"] = {{"value", 80}, {"unit", "1"}, {"source", "a test"}}; },
                 "efficiency.memory is a fraction of 80");
  EXPECT_TRUE(refused(ExitCode::bad_config, "hardware_file", {"file.json"}, [] { parse_hardware("{", "file.json"); }));
  EXPECT_TRUE(refused(ExitCode::bad_config, "hardware_file", {"should be an object"},
                      [] { parse_hardware("[]", "file.json"); }));
}

}  // namespace
}  // namespace ridgeline
