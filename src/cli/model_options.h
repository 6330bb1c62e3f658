// Options that every command with a running model has, spelt as llama.cpp spells them.
#pragma once
#include <CLI/CLI.hpp>

#include "instance/instance.h"

namespace ridgeline {

struct ModelOptions {
  std::string path;
  InstanceOptions instance;
};
void add_model_options(CLI::App& command, ModelOptions& options);

// The type of weight matrices named so, in capitals or not: Q4_K, q8_0. Throws Error (usage).
DType weight_type(const std::string& name);
std::string weight_type_names();         // "f32, f16, ..."
DType kv_type(const std::string& name);  // bf16, f32

// What was opened, on stderr: name, size, memory, kernels, and every op that no fast kernel serves.
void print_opened(Instance& model);

}  // namespace ridgeline
