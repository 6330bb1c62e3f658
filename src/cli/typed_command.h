// A command as it was typed, for output that says how it is made.
#pragma once
#include <CLI/CLI.hpp>

#include <string>

namespace ridgeline {

// "ridgeline plan gpt2 --hw h100": what is positional first, then options in the order of the help, quoted for a shell where
// they need it.
std::string typed_command(const CLI::App&);

}  // namespace ridgeline
