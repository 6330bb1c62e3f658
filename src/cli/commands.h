// The commands, one file each: wiring only. Each adds itself to the application; its callback throws Error or returns.
#pragma once
#include <CLI/CLI.hpp>

namespace ridgeline {

void add_run(CLI::App& app);
void add_explain(CLI::App& app);
void add_plan(CLI::App& app);
void add_verify(CLI::App& app);
void add_bench(CLI::App& app);
void add_calibrate(CLI::App& app);
void add_profile(CLI::App& app);
void add_eval(CLI::App& app);
void add_inspect(CLI::App& app);
void add_synth(CLI::App& app);
void add_pull(CLI::App& app);

// Parses and runs; returns the process's exit code. Messages go to stderr.
int run_command_line(int argc, char** argv);

}  // namespace ridgeline
