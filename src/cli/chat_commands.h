// What can be typed in a chat beside messages: lines that begin with '/'.
#pragma once
#include <string_view>

#include "cli/dialogue.h"

namespace ridgeline {

struct Chat {
  Dialogue& dialogue;
  bool quiet;  // no line about speed after an answer
};

enum class ChatStep { read_on, answer_again, leave };

// Does what a line says, and writes what it shows to stdout. Throws Error for what cannot be done: the chat is as it was.
ChatStep run_chat_command(std::string_view line, Chat&);

}  // namespace ridgeline
