// The command line as a whole: every command, its options, and what is asked of each value before a command sees it.
#pragma once
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

namespace ridgeline {

std::unique_ptr<CLI::App> make_application();

// Every number of a command is decimal, whatever the locale: no hexadecimal, no octal, no NaN, no infinity, no empty text.
void require_decimal_numbers(CLI::App& command);

// What is wrong with a command line, on one line: which option or command there is not, and which was probably meant.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error);

}  // namespace ridgeline
