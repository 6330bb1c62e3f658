// A model by its path, whatever its format.
#pragma once
#include <memory>
#include <string>

#include "formats/checkpoint.h"

namespace ridgeline {

enum class Weightless : uint8_t { refused, allowed };

// path: a GGUF file (the first part of a split one); a Hugging Face directory; or a file of weights or config.json in one.
// Weightless::allowed: a directory with a config alone is enough to describe the model.
// Errors: those of GgufFile::open and HfDirectory::open.
std::unique_ptr<Checkpoint> open_checkpoint(const std::string& path, Weightless = Weightless::refused);

}  // namespace ridgeline
