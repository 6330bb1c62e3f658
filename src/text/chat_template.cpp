#include "text/chat_template.h"

#include <algorithm>

#include "base/error.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "text/ffi.h"

namespace ridgeline {
namespace {

// What a template says of itself goes to terminals and logs: 200 bytes of it, in whole characters, none of them a control.
std::string excerpt(std::string_view message) {
  constexpr size_t most = 200;
  std::string text;
  while (!message.empty()) {
    const size_t size = utf8_step(message).size;
    if (text.size() + size > most) return text + "...";
    const auto first = static_cast<uint8_t>(message[0]);
    const bool is_control =
        first < 0x20 || first == 0x7F || (first == 0xC2 && size == 2 && static_cast<uint8_t>(message[1]) < 0xA0);
    text += is_control ? " " : message.substr(0, size);
    message.remove_prefix(size);
  }
  return text;
}

[[noreturn]] void fail_with(rl_status status, const char* malformed, const std::string& message) {
  switch (status) {
    case rl_limit: fail(ExitCode::bad_data, "template_limit", "the chat template is refused: {}", message);
    case rl_raised:
      fail(ExitCode::bad_data, "template_raised", "the chat template refuses this conversation: {}", message);
    case rl_fault: fail(ExitCode::internal, "template_fault", "the chat template failed: {}", message);
    default: fail(ExitCode::bad_data, malformed, "chat template: {}", message);
  }
}

rl_slice optional_slice(std::optional<std::string_view> text) {
  if (!text) return {nullptr, 0};
  return {text->empty() ? "" : text->data(), text->size()};
}

bool is_role(std::string_view role) {
  auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !role.empty() && role.size() <= 64 && std::all_of(role.begin(), role.end(), plain);
}

// A code point for private use (plane 15) that no message holds: dropping it later drops nothing of theirs.
char32_t unused_code_point(std::span<const Message> messages) {
  constexpr size_t count = 0xFFFE;
  std::vector<bool> used(count);
  for (const Message& m : messages) {
    for (size_t at = m.content.find('\xF3'); at != std::string::npos; at = m.content.find('\xF3', at + 1)) {
      auto bits = [&](size_t i) {
        return at + i < m.content.size() ? static_cast<uint8_t>(m.content[at + i]) & 0x3Fu : 0;
      };
      const size_t offset = (bits(1) << 12 | bits(2) << 6 | bits(3)) - 0x30000;
      if (offset < count) used[offset] = true;
    }
  }
  const auto free = std::find(used.begin(), used.end(), false);
  if (free == used.end())
    fail(ExitCode::bad_data, "no_free_code_point",
         "the messages use every private-use character from U+F0000 on: remove one");
  return 0xF0000 + static_cast<char32_t>(free - used.begin());
}

}  // namespace

struct ChatTemplate::Compiled {
  rl_template* library = nullptr;
  std::string source;

  Compiled() = default;
  Compiled(const Compiled&) = delete;
  ~Compiled() { rl_template_free(library); }
};

ChatTemplate::ChatTemplate(std::string_view source, std::optional<std::string_view> bos_token,
                           std::optional<std::string_view> eos_token)
    : compiled_(new Compiled) {
  if (source.size() > limits::template_bytes)
    fail(ExitCode::bad_data, "bad_template", "a chat template of {} bytes exceeds {}", source.size(),
         limits::template_bytes);
  const rl_template_limits bounds = {
      .steps = limits::template_fuel,
      .output_bytes = limits::template_output_bytes,
      .memory_bytes = limits::template_memory_bytes,
      .milliseconds = limits::template_milliseconds,
  };
  Collected error;
  const rl_status status = rl_template_new(slice(source), optional_slice(bos_token), optional_slice(eos_token), bounds,
                                           &compiled_->library, error.sink());
  if (status != rl_ok) fail_with(status, "bad_template", excerpt(error.text()));
  compiled_->source = source;
}

std::string_view ChatTemplate::source() const { return compiled_->source; }

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

std::string ChatTemplate::render(std::span<const Message> messages, bool add_generation_prompt) const {
  std::vector<rl_message> parts;
  parts.reserve(messages.size());
  for (const Message& m : messages) parts.push_back({slice(m.role), slice(m.content)});
  Collected result;
  const rl_status status =
      rl_template_render(compiled_->library, parts.data(), parts.size(), add_generation_prompt, result.sink());
  if (status != rl_ok) fail_with(status, "template_error", excerpt(result.text()));
  return result.text();
}

// Marks the contents, renders, and encodes: the mark stands inside whatever in a content would be a special token, so
// that only the template's own are found, and is dropped from the text around them.
class ChatEncoder {
 public:
  static std::vector<int32_t> encode(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                     std::span<const Message> messages, bool add_generation_prompt) {
    const char32_t breaker = unused_code_point(messages);
    std::vector<Message> marked;
    marked.reserve(messages.size());
    for (const Message& m : messages) {
      if (!is_role(m.role))
        fail(ExitCode::bad_data, "bad_role", "a role is made of letters, digits, '_' and '-', 1 to 64 of them");
      marked.push_back({m.role, tokenizer.break_special(m.content, breaker)});
    }
    return tokenizer.encode(chat_template.render(marked, add_generation_prompt), SpecialTokens::parse, breaker);
  }
};

std::vector<int32_t> encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                 std::span<const Message> messages, bool add_generation_prompt) {
  return ChatEncoder::encode(tokenizer, chat_template, messages, add_generation_prompt);
}

}  // namespace ridgeline
