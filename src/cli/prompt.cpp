#include "cli/prompt.h"

#include "base/error.h"

namespace ridgeline {

std::vector<int32_t> encode_raw(const Instance& m, const std::string& text) {
  std::vector<int32_t> ids;
  if (m.tokenizer().add_bos() && m.tokenizer().bos()) ids.push_back(*m.tokenizer().bos());
  auto rest = m.tokenizer().encode(text, SpecialTokens::as_text);
  ids.insert(ids.end(), rest.begin(), rest.end());
  return ids;
}

std::vector<int32_t> encode_turns(const Instance& m, const std::vector<Message>& turns, bool add_generation_prompt) {
  return encode_chat(m.tokenizer(), *m.chat_template(), turns, add_generation_prompt);
}

void require_place_for_system(const Instance& m, const std::string& system) {
  if (!system.empty() && !m.chat_template())
    fail(ExitCode::usage, "no_template", "{} has no chat template: there is no place for a system prompt", m.name());
}

}  // namespace ridgeline
