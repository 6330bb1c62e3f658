// A command run as from the command line, its output caught.
#pragma once
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "base/error.h"

namespace ridgeline {

struct CommandResult {
  int code;
  std::string out, error;  // error: the message of an Error, or of a wrong command line
};

inline CommandResult run_command(void (*add)(CLI::App&), const std::string& arguments) {
  CLI::App app("", "ridgeline");
  add(app);
  CommandResult result{0, "", ""};
  ::testing::internal::CaptureStdout();
  try {
    app.parse(arguments, false);
  } catch (const CLI::ParseError& e) {
    result = {static_cast<int>(ExitCode::usage), "", e.what()};
  } catch (const Error& e) { result = {static_cast<int>(e.code()), "", e.what()}; }
  result.out = ::testing::internal::GetCapturedStdout();
  return result;
}

}  // namespace ridgeline
