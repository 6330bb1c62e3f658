// A tiny model with a chat template, which those of tests/data/goldens do not have.
#pragma once
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "base/scratch_folder.h"
#include "goldens.h"

namespace ridgeline {

inline constexpr const char* simple_template =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}<assistant>";

// The bytes of tiny_llama.gguf with one more metadata entry, which comes first.
inline std::string templated_model(std::string source = simple_template) {
  std::string file = content_of(golden_path("tiny_llama"));
  constexpr size_t header = 24, entries_at = 16, alignment = 32;
  const std::string key = "tokenizer.chat_template";
  auto number = [](auto n) { return std::string(reinterpret_cast<const char*>(&n), sizeof n); };
  size_t entry = 8 + key.size() + 4 + 8 + source.size() + 4;
  source += "{#" + std::string((alignment - entry % alignment) % alignment, ' ') + "#}";  // tensors stay aligned
  uint64_t entries;
  std::memcpy(&entries, &file[entries_at], 8);
  ++entries;
  std::memcpy(&file[entries_at], &entries, 8);
  constexpr uint32_t text_type = 8;
  file.insert(header,
              number(uint64_t{key.size()}) + key + number(text_type) + number(uint64_t{source.size()}) + source);
  return file;
}

}  // namespace ridgeline
