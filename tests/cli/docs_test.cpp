// What README and the pages under docs show of the program's output is what it prints. A line "$ ridgeline plan ..." or "explain"
// in a block is run; the lines after it, up to the next command, are lines of its output in order, with any number of others
// where "..." stands. Other commands print what they measured.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/process.h"

namespace ridgeline {
namespace {

struct Shown {
  std::string where;
  std::vector<std::string> arguments, lines;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<Shown> shown_in(const std::filesystem::path& page) {
  std::ifstream in(page);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  std::vector<Shown> all;
  bool block = false, command = false;
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with("```")) {
      block = !block, command = false;
    } else if (block && (line.starts_with("$ ridgeline plan ") || line.starts_with("$ ridgeline explain "))) {
      Shown s{.where = page.filename().string() + ": " + line};
      std::istringstream words(line.substr(12));
      for (std::string word; words >> word;) s.arguments.push_back(word);
      all.push_back(std::move(s));
      command = true;
    } else if (line.starts_with("$ ")) {
      command = false;
    } else if (command) {
      all.back().lines.push_back(line);
    }
  }
  return all;
}

TEST(Docs, ShowWhatTheProgramPrints) {
  size_t found = 0;
  const std::filesystem::path root = RIDGELINE_TEST_DATA "/../..";
  std::vector<std::filesystem::path> pages = {root / "README.md"};
  for (const auto& page : std::filesystem::directory_iterator(root / "docs"))
    if (page.path().extension() == ".md") pages.push_back(page.path());
  for (const auto& page : pages) {
    for (const Shown& s : shown_in(page)) {
      SCOPED_TRACE(s.where);
      ++found;
      Finished f = run_ridgeline(s.arguments);
      ASSERT_EQ(f.status, 0) << f.err;
      auto output = lines_of(f.out);
      size_t at = 0;
      bool skips = false;
      for (const std::string& line : s.lines) {
        if (line == "...") {
          skips = true;
          continue;
        }
        while (skips && at < output.size() && output[at] != line) ++at;
        ASSERT_LT(at, output.size()) << "not in the output: " << line << "\n" << f.out;
        EXPECT_EQ(output[at], line);
        ++at, skips = false;
      }
    }
  }
  EXPECT_GE(found, 6u);
}

}  // namespace
}  // namespace ridgeline
