// The real model that `make test` fetches. Tests that need it are skipped, saying so, where it is not there.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace ridgeline {

// RIDGELINE_SMOLLM2, or the place in the user's cache that scripts/fetch_model.sh puts it.
inline std::string smollm2_path() {
  if (const char* given = std::getenv("RIDGELINE_SMOLLM2")) return given;
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  std::filesystem::path base = cache && *cache ? cache : std::filesystem::path(home ? home : "") / ".cache";
  return (base / "ridgeline/models/SmolLM2-135M-Instruct.Q4_1.gguf").string();
}

#define NEEDS_SMOLLM2()                                      \
  if (!std::filesystem::exists(::ridgeline::smollm2_path())) \
  GTEST_SKIP() << "needs the real model at " << ::ridgeline::smollm2_path() << ": scripts/fetch_model.sh gets it"

}  // namespace ridgeline
