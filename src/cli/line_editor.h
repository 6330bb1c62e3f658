// Lines typed at a terminal, with editing and a history.
#pragma once
#include <histedit.h>

#include <memory>
#include <string>

namespace ridgeline {

// The history outlives the process: $XDG_STATE_HOME/ridgeline/history, readable by its owner alone.
class LineEditor {
 public:
  LineEditor();  // throws Error (unavailable, "no_terminal")
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;

  enum class Read { line, interrupted, end };
  Read read(std::string& line, const char* prompt);  // the line without its end

 private:
  std::unique_ptr<History, decltype(&history_end)> history_;
  std::unique_ptr<EditLine, decltype(&el_end)> editor_;
  std::string file_;
  const char* prompt_ = "";
};

// What was typed: a line, or the lines between """ and """, which may follow "/set system ".
struct Typed {
  LineEditor::Read read;
  std::string text;
  bool is_command = false;  // begins with '/' outside of quotes
};
Typed read_typed(LineEditor&);

}  // namespace ridgeline
