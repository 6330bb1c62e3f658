#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/commands.h"

namespace ridgeline {
namespace {

const std::string model = std::string(RIDGELINE_TEST_DATA) + "/goldens/tiny_gpt2.gguf";

TEST(VerifyCommand, Table) {
  auto r = run_command(add_verify, fmt::format("verify {} --quick -t 1,2", model));
  ASSERT_EQ(r.code, 0) << r.error;
  for (auto part : {"48 tokens of a fixed prompt, 16 generated", "reference", "same in 5 of 5",
                    "One answer: ", "The same as is committed for this file."})
    EXPECT_NE(r.out.find(part), std::string::npos) << part << "\n" << r.out;
}

TEST(VerifyCommand, Json) {
  auto r = run_command(add_verify, fmt::format("verify {} --quick -t 1 --json", model));
  ASSERT_EQ(r.code, 0) << r.error;
  auto j = nlohmann::json::parse(r.out);
  EXPECT_EQ(j["one_answer"], true);
  EXPECT_EQ(j["logits_sha256"], j["committed_sha256"]);
  for (const auto& set : j["sets"]) EXPECT_EQ(set["same"], set["ways"].size()) << set["kernels"];
}

TEST(VerifyCommand, RefusesAWrongCommandLine) {
  EXPECT_EQ(run_command(add_verify, "verify").code, 2);
  EXPECT_EQ(run_command(add_verify, fmt::format("verify {} -t 0", model)).code, 2);
  EXPECT_EQ(run_command(add_verify, "verify /nowhere.gguf").code, 66);
}

}  // namespace
}  // namespace ridgeline
