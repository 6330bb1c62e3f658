// libFuzzer target for chat templates: the template, a NUL, and the messages' contents, each ended by a NUL. A template is
// refused or it renders valid UTF-8, within its limits either way; and a conversation that it renders encodes.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "text/chat_template.h"

namespace {

using namespace ridgeline;

void check(bool ok) {
  if (!ok) std::abort();  // which libFuzzer, and ctest, take as a finding
}

const Tokenizer& tokenizer() {
  static const Tokenizer made = [] {
    Vocabulary v;
    v.model = "llama";
    for (int byte = 0; byte < 256; byte++) {
      constexpr const char* digits = "0123456789ABCDEF";
      v.tokens.push_back(std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">");
      v.types.push_back(6);
    }
    for (const char* text : {"<s>", "</s>", "<|x|>"}) v.tokens.push_back(text), v.types.push_back(3);
    v.scores.assign(v.tokens.size(), 0);
    v.add_space_prefix = false;
    return Tokenizer(v);
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), std::min<size_t>(size, 16384));
  auto next = [&] {
    const size_t end = std::min(rest.find('\0'), rest.size());
    std::string part(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
  };
  const std::string source = next();
  std::vector<Message> messages;
  constexpr const char* roles[] = {"system", "user", "assistant", "tool"};
  while (!rest.empty() && messages.size() < 8) messages.push_back({roles[(messages.size() + size) % 4], next()});
  try {
    const ChatTemplate chat(source, "<s>", "</s>");
    const std::string text = chat.render(messages, size % 2 == 0);
    check(is_utf8(text) && text.size() <= limits::template_output_bytes);
    encode_chat(tokenizer(), chat, messages, size % 2 == 0);
  } catch (const Error& e) { check(e.code() == ExitCode::bad_data && is_utf8(e.what())); }
  return 0;
}
