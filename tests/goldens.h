// The tiny models of tests/data/goldens: a file, and what it answers, in NAME.gguf and NAME.json.
#pragma once
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace ridgeline {

inline std::string golden_path(const std::string& name) {
  return std::string(RIDGELINE_TEST_DATA) + "/goldens/" + name + ".gguf";
}

// The same checkpoints as transformers saves them: directories.
inline std::string golden_directory(const std::string& name) {
  return std::string(RIDGELINE_TEST_DATA) + "/goldens/hf/" + name;
}
inline std::vector<std::string> golden_directories() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(RIDGELINE_TEST_DATA "/goldens/hf"))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

inline std::vector<std::string> tiny_goldens() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(RIDGELINE_TEST_DATA "/goldens"))
    if (std::string name = file.path().stem(); name.starts_with("tiny_") && file.path().extension() == ".gguf")
      names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace ridgeline
