// A little tokenizer.json, to be changed in one place and written.
#pragma once
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace ridgeline {

// Byte-level byte pairs: "<|endoftext|>", printable ASCII, space and newline, and four merges; 101 tokens.
inline nlohmann::json tokenizer_image() {
  nlohmann::json vocab = {{"<|endoftext|>", 0}}, merges = nlohmann::json::array();
  auto add = [&](const std::string& token) { vocab[token] = vocab.size(); };
  for (char c = '!'; c <= '~'; ++c) add(std::string(1, c));
  add("\u0120"), add("\u010a");  // space and newline, as GPT-2 spells them
  for (auto [left, right] : {std::pair("t", "h"), {"h", "e"}, {"i", "n"}, {"\u0120", "t"}}) {
    merges.push_back(fmt::format("{} {}", left, right));
    add(std::string(left) + right);
  }
  const nlohmann::json bytes = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  nlohmann::json tokenizer = {{"version", "1.0"},         {"truncation", nullptr},  {"padding", nullptr},
                              {"normalizer", nullptr},    {"pre_tokenizer", bytes}, {"decoder", bytes},
                              {"post_processor", nullptr}};
  tokenizer["added_tokens"] = {{{"id", 0},
                                {"content", "<|endoftext|>"},
                                {"single_word", false},
                                {"lstrip", false},
                                {"rstrip", false},
                                {"normalized", false},
                                {"special", true}}};
  tokenizer["model"] = {{"type", "BPE"}, {"vocab", vocab}, {"merges", merges}};
  return tokenizer;
}

}  // namespace ridgeline
