// Text and conversations to the ids that a model goes on from.
#pragma once
#include "instance/instance.h"

namespace ridgeline {

// The ids of a text without a template: bos where the model wants it; special tokens in the text stay text.
std::vector<int32_t> encode_raw(const Instance&, const std::string& text);
// By the model's template, which must be there.
std::vector<int32_t> encode_turns(const Instance&, const std::vector<Message>&, bool add_generation_prompt);

// Throws Error (usage, "no_template") where there is a system prompt, and no template that could place it.
void require_place_for_system(const Instance&, const std::string& system);

}  // namespace ridgeline
