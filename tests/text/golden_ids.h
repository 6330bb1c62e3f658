// The committed vocabularies and token ids of tests/data/text (see scripts/goldens/text_tokens.py and text_pieces.py).
#pragma once
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace ridgeline {

inline nlohmann::ordered_json read_json(const std::string& name) {
  std::ifstream file(std::string(RIDGELINE_TEST_DATA) + "/text/" + name);
  if (!file) throw std::runtime_error("cannot open tests/data/text/" + name);
  return nlohmann::ordered_json::parse(file);
}

inline std::vector<std::string> corpus() { return read_json("corpus.json").get<std::vector<std::string>>(); }

inline Vocabulary vocabulary_from(const nlohmann::ordered_json& json) {
  Vocabulary v;
  v.pre = json["pre"];
  v.tokens = json["tokens"].get<std::vector<std::string>>();
  v.types = json["types"].get<std::vector<int32_t>>();
  v.merges = json["merges"].get<std::vector<std::string>>();
  return v;
}

inline Vocabulary pieces_from(const nlohmann::ordered_json& json) {
  Vocabulary v;
  v.model = "llama";
  v.tokens = json["tokens"].get<std::vector<std::string>>();
  v.types = json["types"].get<std::vector<int32_t>>();
  v.scores = json["scores"].get<std::vector<float>>();
  v.add_space_prefix = json["add_space_prefix"].get<bool>();
  v.unk = 0;
  return v;
}

inline Vocabulary small_vocabulary(const std::string& pre) {
  return vocabulary_from(read_json("vocabulary_" + pre + ".json"));
}

// The ids of each text of the corpus, special tokens as text and parsed, and their decoding, equal Hugging Face's.
inline void expect_golden_ids(const Tokenizer& tokenizer, const nlohmann::ordered_json& cases) {
  const std::vector<std::string> texts = corpus();
  ASSERT_EQ(texts.size(), cases.size());
  for (size_t i = 0; i < texts.size(); i++) {
    SCOPED_TRACE("text " + std::to_string(i) + ": " + nlohmann::json(texts[i]).dump(-1, ' ', true).substr(0, 200));
    const auto as_text = cases[i]["as_text"].get<std::vector<int32_t>>();
    const auto parsed = cases[i].value("parse", as_text);
    EXPECT_EQ(tokenizer.encode(texts[i], SpecialTokens::as_text), as_text);
    EXPECT_EQ(tokenizer.encode(texts[i], SpecialTokens::parse), parsed);
    EXPECT_EQ(tokenizer.decode(as_text), cases[i].value("decoded", texts[i]));
  }
}

}  // namespace ridgeline
