// The real model of Gemma's family, which scripts/fetch_model.sh gemma3 fetches. Tests that need it are skipped, saying so,
// where it is not there.
#pragma once
#include "smollm2.h"

namespace ridgeline {

// RIDGELINE_GEMMA3, or a file of this name in the user's cache.
inline std::string gemma3_path() {
  if (const char* given = std::getenv("RIDGELINE_GEMMA3")) return given;
  return std::filesystem::path(smollm2_path()).replace_filename("gemma-3-270m.Q4_K_M.gguf").string();
}

#define NEEDS_GEMMA3()                                      \
  if (!std::filesystem::exists(::ridgeline::gemma3_path())) \
  GTEST_SKIP() << "needs the real model at " << ::ridgeline::gemma3_path() << ", or RIDGELINE_GEMMA3 to name it"

}  // namespace ridgeline
