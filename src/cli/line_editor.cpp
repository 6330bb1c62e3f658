#include "cli/line_editor.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "cli/terminal.h"

namespace ridgeline {
namespace {

std::string history_file() {
  const char *state = std::getenv("XDG_STATE_HOME"), *home = std::getenv("HOME");
  std::filesystem::path folder = state && *state ? state
                                 : home && *home ? std::filesystem::path(home) / ".local/state"
                                                 : "";
  if (folder.empty()) return {};
  std::error_code error;
  std::filesystem::create_directories(folder / "ridgeline", error);
  return error ? std::string() : (folder / "ridgeline/history").string();
}

constexpr std::string_view quotes = "\"\"\"";

}  // namespace

LineEditor::LineEditor() : history_(history_init(), history_end), editor_(nullptr, el_end) {
  editor_.reset(el_init("ridgeline", stdin, stdout, stderr));
  if (!history_ || !editor_) fail(ExitCode::unavailable, "no_terminal", "the terminal cannot be opened");
  HistEvent event;
  ::history(history_.get(), &event, H_SETSIZE, 1000);
  ::history(history_.get(), &event, H_SETUNIQUE, 1);
  el_set(editor_.get(), EL_CLIENTDATA, &prompt_);
  el_set(
      editor_.get(), EL_PROMPT, +[](EditLine* editor) {
        const char** prompt = nullptr;
        el_get(editor, EL_CLIENTDATA, &prompt);
        return const_cast<char*>(*prompt);
      });
  el_set(editor_.get(), EL_EDITOR, "emacs");
  el_set(editor_.get(), EL_HIST, ::history, history_.get());
  file_ = history_file();
  if (!file_.empty()) ::history(history_.get(), &event, H_LOAD, file_.c_str());
  el_source(editor_.get(), nullptr);
}

LineEditor::~LineEditor() {
  if (file_.empty()) return;
  HistEvent event;
  mode_t before = umask(077);
  ::history(history_.get(), &event, H_SAVE, file_.c_str());
  umask(before);
}

LineEditor::Read LineEditor::read(std::string& line, const char* prompt) {
  int count = 0;
  errno = 0;
  prompt_ = prompt;
  const char* text = el_gets(editor_.get(), &count);
  if (InterruptScope::interrupted() || (!text && errno == EINTR)) return Read::interrupted;
  if (!text || count <= 0) return Read::end;
  line.assign(text, static_cast<size_t>(count));
  while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
  if (!line.empty()) {
    HistEvent event;
    ::history(history_.get(), &event, H_ENTER, line.c_str());
  }
  return Read::line;
}

Typed read_typed(LineEditor& editor) {
  Typed typed{LineEditor::Read::end, {}};
  typed.read = editor.read(typed.text, ">>> ");
  typed.is_command = typed.text.starts_with('/');
  size_t open = typed.text.find(quotes);
  bool may_open = open == 0 || typed.text.starts_with("/set system ");
  if (typed.read != LineEditor::Read::line || open == typed.text.npos || !may_open) return typed;
  std::string before = typed.text.substr(0, open), inside = typed.text.substr(open + quotes.size()), line;
  while (!inside.ends_with(quotes)) {
    typed.read = editor.read(line, "... ");
    if (typed.read != LineEditor::Read::line) return typed;
    inside += "\n" + line;
  }
  inside.resize(inside.size() - quotes.size());
  if (inside.starts_with('\n')) inside.erase(0, 1);
  if (inside.ends_with('\n')) inside.pop_back();
  typed.text = before + inside;
  return typed;
}

}  // namespace ridgeline
