// A stand-in of the hub, an empty cache, and settings that lead from one to the other.
#pragma once
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "base/scratch_folder.h"
#include "hub/cache.h"
#include "hub/pull.h"
#include "hub/stand_in.h"

namespace ridgeline {

namespace fs = std::filesystem;
using Request = StandInHub::Request;
using Reply = StandInHub::Reply;

inline std::string bytes(size_t n, unsigned seed) {
  std::string s(n, '\0');
  for (size_t i = 0; i < n; ++i) s[i] = static_cast<char>((i * 2654435761u + seed) >> 13);
  return s;
}

class Pull : public testing::Test {
 protected:
  Pull() {
    for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) unsetenv(name);
    settings_.cache = folder_ / "hub";
    settings_.endpoint = hub_.url();
    settings_.stall = std::chrono::seconds(1);
    settings_.pause = std::chrono::milliseconds(1);
  }
  Pulled pull_it(const std::string& tag = "") { return pull(settings_, {{hub_.repository, tag}}, observer_); }
  // The id of the error that a pull ends with; "": none.
  std::string fault(ExitCode code, std::string_view words, const std::string& tag = "") {
    try {
      pull_it(tag);
      return "";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), code) << e.what();
      EXPECT_NE(std::string_view(e.what()).find(words), std::string_view::npos) << e.what();
      EXPECT_EQ(std::string_view(e.what()).find("secret"), std::string_view::npos) << e.what();
      return e.id();
    }
  }
  std::string incomplete(const std::string& content) {
    return HubCache(settings_.cache, hub_.repository).blob(sha256_of(content)) + ".incomplete";
  }

  ScratchFolder folder_;
  StandInHub hub_;
  HubSettings settings_;
  PullObserver observer_;
  const std::string model_ = bytes(300'000, 1);
};

}  // namespace ridgeline
