#include "cli/chat.h"

#include "base/error.h"
#include "base/printable.h"
#include "cli/answer_text.h"
#include "cli/chat_commands.h"
#include "cli/line_editor.h"
#include "cli/terminal.h"

namespace ridgeline {
namespace {

void show_answer(Instance& model, const Generated& g, const Chat& chat) {
  write_out("\n" + probabilities_text(g, model.tokenizer()));
  if (!chat.quiet) print_summary(model, g, chat.dialogue.held());
}

// What a line asks for; whether the chat goes on.
bool respond(Instance& model, const Typed& typed, Chat& chat) {
  ChatStep step = typed.is_command ? run_chat_command(typed.text, chat) : ChatStep::read_on;
  if (step == ChatStep::leave) return false;
  if (step == ChatStep::answer_again) {
    show_answer(model, chat.dialogue.answer_again(write_out), chat);
    if (chat.dialogue.options().generate.sampler.temperature == 0)
      write_out("At temperature 0 an answer is always the same: /set temp 0.8 gives others.\n");
  } else if (!typed.is_command && !typed.text.empty()) {
    show_answer(model, chat.dialogue.answer(typed.text, write_out), chat);
  }
  return true;
}

}  // namespace

void chat(Instance& model, const AnswerOptions& options, const std::string& system, bool quiet) {
  InterruptScope scope;
  LineEditor editor;
  Dialogue dialogue(model, options, system);
  Chat chat{dialogue, quiet};
  if (!quiet) fmt::print(stderr, "Type a message; /help lists commands, Ctrl-D leaves.\n");
  for (;;) {
    Typed typed = read_typed(editor);
    if (typed.read == LineEditor::Read::end) break;
    if (typed.read == LineEditor::Read::interrupted) {
      InterruptScope::reset();
      fmt::print("\nCtrl-D or /bye leaves.\n");
      continue;
    }
    try {
      if (!respond(model, typed, chat)) return;
    } catch (const Error& e) {
      bool weights_lost = e.code() == ExitCode::io && !typed.is_command;  // not the file of a /save
      if (e.id() == "output_failed" || e.code() == ExitCode::internal || weights_lost) throw;
      fmt::print(stderr, "{}\n", escaped_lines(e.what()));
    }
    InterruptScope::reset();
  }
  fmt::print("\n");
}

}  // namespace ridgeline
