// A conversation at the terminal, and what `run` shares with it.
#pragma once
#include "instance/generate.h"

namespace ridgeline {

// Writes to stdout at once. Throws Error (io) where that fails.
void write_out(std::string_view text);

std::vector<Message> turns_with(const std::string& system, const std::string& user);
// The ids of a text without a template: bos where the model wants it; special tokens in the text stay text.
std::vector<int32_t> encode_raw(Instance&, const std::string& text);
std::vector<int32_t> encode_turns(Instance&, const std::vector<Message>&, bool add_generation_prompt);

// One line on stderr: tokens, speed, GB/s, the part of the machine's read limit. kv_tokens: held in the cache.
void print_summary(Instance&, const Generated&, int64_t kv_tokens);

// Reads lines and answers, with history, until Ctrl-D or /bye.
void chat(Instance&, const GenerateOptions&, const std::string& system, bool quiet);

}  // namespace ridgeline
