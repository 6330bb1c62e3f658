// A conversation as a file.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ridgeline {

struct Turn {
  std::string role, content;    // "user" or "assistant"
  std::vector<int32_t> tokens;  // of a model without a chat template, whose text alone does not tell them
};

// All that decides the next answer, but for the model.
struct SavedChat {
  std::string model;   // its name
  std::string system;  // empty: none
  std::vector<Turn> turns;
  nlohmann::ordered_json settings;  // as answer_options_json() writes them
};

// Writes {"ridgeline_chat": 1, "model", "system", "turns", "settings"}: whole or not at all, readable by its owner alone. Bytes
// that are not UTF-8 become U+FFFD, which is how templates see them. Throws Error (usage, "not_a_chat") for a file that is there
// and holds anything else, (io) where writing fails.
void save_chat(const std::string& path, const SavedChat&);

// Throws what MappedFile::open throws; bad_data "bad_chat" for what save_chat would not have written: no JSON, another key or
// type, turns that do not alternate between user and assistant, ids below 0. The settings are an object, and unchecked.
SavedChat load_chat(const std::string& path);

}  // namespace ridgeline
