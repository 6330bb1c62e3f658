// What was generated, for people and as JSON.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "instance/generate.h"

namespace ridgeline {

// One line on stderr: tokens, speed, GB/s, the part of the machine's read limit. kv_tokens: held in the cache.
void print_summary(Instance&, const Generated&, int64_t kv_tokens);

// model, prompt_tokens, prompt_ids, prompt_seconds, prompt_tokens_per_second, answer_tokens, ids, text, finish, answer_seconds,
// answer_tokens_per_second (null where nothing was computed), logprobs where there are any, settings.
nlohmann::ordered_json answer_json(const Instance&, std::span<const int32_t> prompt, const Generated&,
                                   const GenerateOptions&);

// A row a token: its id, ln p and p, its text, and the most probable ones with their ln p. Empty where there are none.
std::string probabilities_text(const Generated&, const Tokenizer&);

}  // namespace ridgeline
