// Committed texts that a test compares with, in tests/data. RIDGELINE_UPDATE_GOLDENS=1 writes them anew: read the difference.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace ridgeline::test {

inline void expect_golden(const std::string& file, const std::string& text) {
  std::string path = std::string(RIDGELINE_TEST_DATA) + "/" + file;
  if (const char* update = std::getenv("RIDGELINE_UPDATE_GOLDENS"); update && *update == '1') {
    ASSERT_TRUE(std::ofstream(path) << text) << "cannot write " << path;
    return;
  }
  std::stringstream golden;
  std::ifstream in(path);
  ASSERT_TRUE(in) << "no golden text " << path << "; RIDGELINE_UPDATE_GOLDENS=1 writes it";
  golden << in.rdbuf();
  EXPECT_EQ(golden.str(), text) << path << " differs; RIDGELINE_UPDATE_GOLDENS=1 writes it anew";
}

}  // namespace ridgeline::test
