#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/commands.h"
#include "command.h"

namespace ridgeline {
namespace {

std::string scratch(const std::string& name) { return ::testing::TempDir() + "ridgeline_plan_" + name; }
std::string text_of(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(PlanCommand, WritesAPictureToStandardOutputOrAFile) {
  auto shown = run_command(add_plan, "plan gpt2 --hw h100 --svg kv");
  EXPECT_EQ(shown.code, 0) << shown.error;
  EXPECT_TRUE(shown.out.starts_with("<svg ")) << shown.out.substr(0, 80);
  std::string path = scratch("kv.svg");
  auto written = run_command(add_plan, "plan gpt2 --hw h100 --svg kv -o " + path);
  EXPECT_EQ(written.code, 0) << written.error;
  EXPECT_EQ(written.out, "");
  EXPECT_EQ(text_of(path), shown.out);
  std::filesystem::remove(path);
}

TEST(PlanCommand, WritesAReportThatSaysHowItIsMade) {
  std::string path = scratch("it's a report.html");
  auto result = run_command(add_plan, "plan gpt2 --hw h100 --batches 1,8 --fit --html \"" + path + "\"");
  EXPECT_EQ(result.code, 0) << result.error;
  std::string html = text_of(path);
  EXPECT_TRUE(html.starts_with("<!DOCTYPE html>"));
  EXPECT_NE(html.find("<code>ridgeline plan gpt2 --hw h100 --batches 1,8 --fit --html &#39;"), html.npos)
      << html.substr(html.find("<footer>"));
  EXPECT_TRUE(run_command(add_plan, "plan gpt2 --hw h100 --html -").out.starts_with("<!DOCTYPE html>"));
  std::filesystem::remove(path);
}

TEST(PlanCommand, PicturesAndTablesAreOfWhatWasAskedFor) {
  auto html = run_command(add_plan, "plan gpt2 --hw h100 --batches 8,16 --html -").out;
  for (const char* there : {"decode, 8 sequences", "decode, 16 sequences"})
    EXPECT_NE(html.find(there), html.npos) << there;
  for (const char* absent : {"decode, 1 sequence", "decode, 64 sequences", "memory of this engine"})
    EXPECT_EQ(html.find(absent), html.npos) << absent;
  html = run_command(add_plan, "plan " RIDGELINE_TEST_DATA "/goldens/tiny_llama.gguf --hw h100 --html -").out;
  for (const char* there : {"decode, 1 sequence:", "decode, 64 sequences", "memory of this engine", "weights, packed"})
    EXPECT_NE(html.find(there), html.npos) << there;
}

TEST(PlanCommand, AnUnknownPictureNamesThoseThereAre) {
  auto result = run_command(add_plan, "plan gpt2 --svg pie");
  EXPECT_EQ(result.code, static_cast<int>(ExitCode::usage));
  EXPECT_NE(result.error.find("roofline, flops, memory, kv, throughput"), std::string::npos) << result.error;
}

TEST(PlanCommand, AFileThatCannotBeWrittenIsAnError) {
  for (const char* what : {"--svg kv -o", "--html"})
    for (const char* where : {"/nowhere/at/all/x", "/"}) {
      auto result = run_command(add_plan, fmt::format("plan gpt2 {} {}", what, where));
      EXPECT_EQ(result.code, static_cast<int>(ExitCode::io)) << what << where;
      EXPECT_NE(result.error.find("cannot write"), std::string::npos) << result.error;
    }
  if (std::filesystem::exists("/dev/full")) {
    EXPECT_EQ(run_command(add_plan, "plan gpt2 --html /dev/full").code, static_cast<int>(ExitCode::io));
  }
}

}  // namespace
}  // namespace ridgeline
