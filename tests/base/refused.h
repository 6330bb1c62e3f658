// Expectations about refusals: an Error with this id and exit code, and a message that says these words.
#pragma once
#include <gtest/gtest.h>

#include <initializer_list>
#include <string_view>

#include "base/error.h"

namespace ridgeline {

template <class F>
::testing::AssertionResult refused(ExitCode code, std::string_view id, std::initializer_list<std::string_view> words,
                                   F f) {
  try {
    f();
  } catch (const Error& e) {
    std::string_view what = e.what();
    if (e.code() != code || e.id() != id) {
      return ::testing::AssertionFailure()
             << "refused with " << static_cast<int>(e.code()) << " " << e.id() << ": " << what;
    }
    for (auto word : words) {
      if (what.find(word) == what.npos) return ::testing::AssertionFailure() << '"' << word << "\" is not in: " << what;
    }
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << "accepted";
}

}  // namespace ridgeline
