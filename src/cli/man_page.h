// The manual page ridgeline(1), made from the commands themselves.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

namespace ridgeline {

// roff with the macros of man(7).
std::string man_page(const CLI::App& app);

}  // namespace ridgeline
