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

// The type named so: weights f32 f16 bf16 q8_0 q4_0 q4_1. Throws Error (usage).
DType weight_type(const std::string& name);
DType kv_type(const std::string& name);  // bf16, f32

// What was opened, on stderr: name, size, memory, kernels, and every op that no fast kernel serves.
void print_opened(Instance& model);

}  // namespace ridgeline
