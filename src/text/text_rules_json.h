// The parts of tokenizer.json that say how text becomes words. Private to this folder.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "text/vocabulary.h"

namespace ridgeline {

struct TextRulesJson {
  TextRules rules;
  bool is_in_characters = false;  // else byte-level
  bool byte_fallback = false;
  std::optional<std::string> unknown_token;
  std::optional<std::string> first_token;  // put before each text
};

// `file`: tokenizer.json, but for what is large. Throws "bad_json", "unsupported_tokenizer", "unsupported_regex".
TextRulesJson read_text_rules(const nlohmann::json& file);

}  // namespace ridgeline
