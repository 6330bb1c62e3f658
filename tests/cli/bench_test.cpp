#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/commands.h"

namespace ridgeline {
namespace {

const std::string model = std::string(RIDGELINE_TEST_DATA) + "/goldens/tiny_llama_q4_1.gguf";

TEST(BenchCommand, Json) {
  auto r = run_command(add_bench, fmt::format("bench {} -p 16 -n 4 -r 2 -t 1 --json", model));
  ASSERT_EQ(r.code, 0) << r.error;
  auto j = nlohmann::json::parse(r.out);
  for (auto key :
       {"prefill_tokens_per_second", "decode_tokens_per_second", "read_limit_fraction", "compute_roof_fraction"})
    EXPECT_GT(j.at(key).get<double>(), 0) << key;
  ASSERT_EQ(j["tests"].size(), 2u);
  EXPECT_EQ(j["tests"][0]["test"], "pp16");
  EXPECT_EQ(j["tests"][0]["samples_ts"].size(), 2u);
  EXPECT_EQ(j["tests"][1]["read_limit_fraction"], j["read_limit_fraction"]);
}

TEST(BenchCommand, TableOfLists) {
  auto r = run_command(add_bench, fmt::format("bench {} -p 8,16 -n 0 -d 0,4 -r 1 -t 1,2", model));
  ASSERT_EQ(r.code, 0) << r.error;
  EXPECT_EQ(std::count(r.out.begin(), r.out.end(), '|'), (2 + 2 * 2 * 2) * 8) << r.out;
  for (auto part : {" t/s |", "pp8 |", "pp16 |", "pp16 @ d4 |", " ± 0.00 |", "of the compute roof"})
    EXPECT_NE(r.out.find(part), std::string::npos) << part << "\n" << r.out;
}

TEST(BenchCommand, OtherFormats) {
  auto csv = run_command(add_bench, fmt::format("bench {} -p 8 -n 2 -r 1 -t 1 -o csv", model)).out;
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3) << csv;
  auto lines = run_command(add_bench, fmt::format("bench {} -p 8 -n 0 -r 1 -t 1 -o jsonl", model)).out;
  EXPECT_EQ(nlohmann::json::parse(lines)["n_prompt"], 8);
}

TEST(BenchCommand, RefusesAWrongCommandLine) {
  for (std::string options : {"-p 0 -n 0", "-p x", "-p -1", "-r 0", "-t 0", "-o yaml", "-b 0"})
    EXPECT_EQ(run_command(add_bench, fmt::format("bench {} {}", model, options)).code, 2) << options;
  EXPECT_EQ(run_command(add_bench, "bench").code, 2);
  EXPECT_EQ(run_command(add_bench, "bench /nowhere.gguf").code, 66);
}

}  // namespace
}  // namespace ridgeline
