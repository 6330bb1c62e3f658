#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/scratch_folder.h"
#include "cli/command.h"
#include "cli/commands.h"

namespace ridgeline {
namespace {

const std::string model = std::string(RIDGELINE_TEST_DATA) + "/goldens/tiny_llama_q4_1.gguf";

TEST(ProfileCommand, Text) {
  auto r = run_command(add_profile, fmt::format("profile {} --batch 1@20 -r 1 -t 2", model));
  ASSERT_EQ(r.code, 0) << r.error;
  for (auto part : {"1 new token on 20 cached", "% of this machine's roof", "feed-forward linear", "barriers",
                    "not explained", "recoverable ms", "logits = linear("})
    EXPECT_NE(r.out.find(part), std::string::npos) << part << "\n" << r.out;
}

// The same FLOPs and bytes as another command finds for the same file.
TEST(ProfileCommand, CountsAreThoseOfExplain) {
  for (const char* options :
       {"--batch 1@20", "--batch 2x1@20,9", "--batch 5@3 --disable fuse", "--batch 4 --type bf16"}) {
    auto ours = run_command(add_profile, fmt::format("profile {} {} -r 1 -t 1 --json", model, options));
    auto theirs = run_command(add_explain, fmt::format("explain {} {} --json", model, options));
    ASSERT_EQ(ours.code, 0) << ours.error;
    ASSERT_EQ(theirs.code, 0) << theirs.error;
    auto a = nlohmann::json::parse(ours.out), b = nlohmann::json::parse(theirs.out);
    for (auto key : {"flops", "bytes", "ops"}) EXPECT_EQ(a["step"][key], b["step"][key]) << options << " " << key;
    EXPECT_EQ(a["batch"], b["batch"]);
    EXPECT_GT(a["step"]["measured_seconds"].get<double>(), 0);
  }
}

TEST(ProfileCommand, TraceAndDiff) {
  ScratchFolder folder;
  auto profile = [&](const char* name) {
    auto r = run_command(
        add_profile, fmt::format("profile {} --batch 1@9 -r 1 -t 2 --json --trace {}", model, folder / "trace.json"));
    EXPECT_EQ(r.code, 0) << r.error;
    return folder.write(name, r.out);
  };
  std::string a = profile("a.json"), b = profile("b.json");
  EXPECT_GT(nlohmann::json::parse(content_of(folder / "trace.json"))["traceEvents"].size(), 100u);
  auto r = run_command(add_profile, fmt::format("profile --diff {} {} --fail-above 1000000", a, b));
  EXPECT_EQ(r.code, 0) << r.error;
  EXPECT_NE(r.out.find("logits = linear("), std::string::npos) << r.out;

  auto worse = nlohmann::ordered_json::parse(content_of(b));
  for (auto& kind : worse["kinds"])
    if (kind["op"] == "attention") kind["measured_seconds"] = kind["measured_seconds"].get<double>() + 1;
  b = folder.write("b.json", worse.dump());
  r = run_command(add_profile, fmt::format("profile --diff {} {} --fail-above 50", a, b));
  EXPECT_EQ(r.code, 1);
  EXPECT_NE(r.error.find("a = attention("), std::string::npos) << r.error;
  r = run_command(add_profile, fmt::format("profile --diff {} {} --json", a, b));
  EXPECT_EQ(r.code, 0);
  EXPECT_TRUE(nlohmann::json::parse(r.out)["regressed"].get<std::string>().starts_with("a = attention("));
}

TEST(ProfileCommand, RefusesAWrongCommandLine) {
  for (std::string options : {"--batch x", "--batch 0", "--batch 1@", "-r 0", "-t -1", "--hw h100", "--hw nowhere",
                              "--fail-above 3", "--kernels none", "--type nothing"})
    EXPECT_EQ(run_command(add_profile, fmt::format("profile {} {}", model, options)).code, 2) << options;
  EXPECT_EQ(run_command(add_profile, "profile").code, 2);
  EXPECT_EQ(run_command(add_profile, fmt::format("profile {0} --diff {0} {0}", model)).code, 2);
  EXPECT_EQ(run_command(add_profile, fmt::format("profile --diff {}", model)).code, 2);
  EXPECT_EQ(run_command(add_profile, fmt::format("profile --diff {0} {0}", model)).code, 65);
  EXPECT_EQ(run_command(add_profile, "profile --diff /nowhere.json /nowhere.json").code, 66);
  EXPECT_EQ(run_command(add_profile, "profile /nowhere.gguf").code, 66);
  EXPECT_EQ(run_command(add_profile, fmt::format("profile {} --batch 1@40 -c 32", model)).code, 69);
  EXPECT_EQ(run_command(add_profile, fmt::format("profile {} --hw /nowhere.json", model)).code, 66);
  EXPECT_EQ(run_command(add_profile, fmt::format("profile {} --batch 4 -r 1 --trace /nowhere/t.json", model)).code, 74);
}

}  // namespace
}  // namespace ridgeline
