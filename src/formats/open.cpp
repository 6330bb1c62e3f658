#include "formats/open.h"

#include <filesystem>

#include "formats/gguf.h"
#include "formats/hf_directory.h"

namespace ridgeline {

std::unique_ptr<Checkpoint> open_checkpoint(const std::string& path, Weightless weightless) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error) || path.ends_with(".safetensors") || path.ends_with(".json"))
    return std::make_unique<HfDirectory>(HfDirectory::open(path, weightless));
  return std::make_unique<GgufFile>(GgufFile::open(path));
}

}  // namespace ridgeline
