// Conversations to prompts: the Jinja template of a model file, as Hugging Face's apply_chat_template renders it.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace ridgeline {

struct Message {
  std::string role;     // "system", "user", "assistant"
  std::string content;  // bytes that are not UTF-8 become U+FFFD
};

// A compiled template. Templates come with model files and are not trusted: they reach nothing but their arguments, and
// steps, time, memory, output and nesting are bounded by limits::template_*.
class ChatTemplate {
 public:
  // bos_token, eos_token: what the template sees under these names; absent where the vocabulary has none.
  // Throws bad_data: "bad_template" (with the line) or "template_limit".
  explicit ChatTemplate(std::string_view source, std::optional<std::string_view> bos_token = {},
                        std::optional<std::string_view> eos_token = {});
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  // add_generation_prompt: end with what opens the assistant's turn. May be called by many threads at once.
  // Throws bad_data: "template_raised" (the template's own refusal, in its words), "template_error" or "template_limit".
  // After a rendering that ran out of time or memory every later one is refused.
  std::string render(std::span<const Message> messages, bool add_generation_prompt) const;

  std::string_view source() const;  // as it was given

 private:
  struct Compiled;  // the Rust library's
  std::unique_ptr<Compiled> compiled_;
};

// The ids of a rendered conversation. Special tokens that the template writes are tokens; in the messages' contents they
// are text, whatever filters the template puts them through, also when one is spread over the edge of a message.
// Throws what render and encode throw, and bad_data "bad_role" for a role that is not made of letters, digits, '_', '-'.
std::vector<int32_t> encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                 std::span<const Message> messages, bool add_generation_prompt);

}  // namespace ridgeline
