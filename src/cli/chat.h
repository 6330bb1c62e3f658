// A conversation at the terminal.
#pragma once
#include <string>

#include "cli/answer_options.h"

namespace ridgeline {

// Reads lines and answers, with history, until Ctrl-D or /bye.
void chat(Instance&, const AnswerOptions&, const std::string& system, bool quiet);

}  // namespace ridgeline
