// Model files of any shape with random weights: for measuring speed and memory, and for tests.
#pragma once
#include <cstdint>
#include <string>

#include "base/team.h"
#include "models/catalogue.h"

namespace ridgeline {

struct SyntheticModel {
  std::string name;  // general.name
  ModelConfig config;
  DType matrices = DType::q8_0;  // one of stored_types; vectors are f32
  uint64_t seed = 0;
};

// What a file of it takes on disk. Errors: those of write_synthetic that are of the model.
uint64_t synthetic_bytes(const SyntheticModel& model);

// Writes a GGUF file. Matrices are uniform with the standard deviation 1 / sqrt(columns), those that end a residual
// branch smaller by sqrt(2 layers), so that activations keep their size through any depth; norm weights are 1, biases
// small. The bytes depend on the model alone, not on the threads. The vocabulary is of the gpt2 kind: three control
// tokens, the 256 bytes, and words of made-up syllables; the chat template is ChatML. Errors: usage "synth_shape" where
// rows are not whole blocks of the type or the vocabulary has no room for the bytes; unavailable "disk_full" where it
// does not fit on the disk, before anything is written; io "cannot_write".
void write_synthetic(const std::string& path, const SyntheticModel& model, Team& team);

}  // namespace ridgeline
