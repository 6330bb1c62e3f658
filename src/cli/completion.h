// What a shell needs to complete a command line of ridgeline, made from the commands themselves.
#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline {

// Values that may stand where an option's argument, or a command's first word, is expected.
struct CompletionValues {
  bool files = false;
  std::vector<std::string> words;
};
struct CompletionOption {
  std::vector<std::string> names;  // "-t", "--threads"
  std::string help;
  bool takes_value = false;
  CompletionValues values;
};
struct CompletionCommand {
  std::string name, help;
  std::vector<CompletionOption> options;
  CompletionValues values;  // of its positional arguments
};
// The commands, and first of all the program itself, whose positional values are the commands' names.
std::vector<CompletionCommand> completion_commands(const CLI::App& app);

// A script for bash, zsh or fish. Throws Error (usage) for another shell.
std::string completion_script(const CLI::App& app, std::string_view shell);

}  // namespace ridgeline
