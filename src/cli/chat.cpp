#include "cli/chat.h"

#include <histedit.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "cli/terminal.h"
#include "instance/bench.h"

namespace ridgeline {
namespace {

// A line editor with a history that outlives the process: $XDG_STATE_HOME/ridgeline/history, readable by its owner alone.
class LineEditor {
 public:
  LineEditor() : history_(history_init(), history_end), editor_(el_init("ridgeline", stdin, stdout, stderr), el_end) {
    if (!history_ || !editor_) fail(ExitCode::unavailable, "no_terminal", "the terminal cannot be opened");
    HistEvent event;
    ::history(history_.get(), &event, H_SETSIZE, 1000);
    ::history(history_.get(), &event, H_SETUNIQUE, 1);
    el_set(editor_.get(), EL_PROMPT, +[](EditLine*) { return const_cast<char*>(">>> "); });
    el_set(editor_.get(), EL_EDITOR, "emacs");
    el_set(editor_.get(), EL_HIST, ::history, history_.get());
    file_ = history_file();
    if (!file_.empty()) ::history(history_.get(), &event, H_LOAD, file_.c_str());
    el_source(editor_.get(), nullptr);
  }
  ~LineEditor() {
    if (file_.empty()) return;
    HistEvent event;
    mode_t before = umask(077);
    ::history(history_.get(), &event, H_SAVE, file_.c_str());
    umask(before);
  }

  enum class Read { line, interrupted, end };
  Read read(std::string& line) {
    int count = 0;
    errno = 0;
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

 private:
  static std::string history_file() {
    const char *state = std::getenv("XDG_STATE_HOME"), *home = std::getenv("HOME");
    std::filesystem::path folder = state && *state ? state
                                   : home && *home ? std::filesystem::path(home) / ".local/state"
                                                   : "";
    if (folder.empty()) return {};
    std::error_code error;
    std::filesystem::create_directories(folder / "ridgeline", error);
    return error ? std::string() : (folder / "ridgeline/history").string();
  }
  std::unique_ptr<History, decltype(&history_end)> history_;
  std::unique_ptr<EditLine, decltype(&el_end)> editor_;
  std::string file_;
};

constexpr const char* help =
    "  /help, /?    this list\n"
    "  /clear       begin a new conversation\n"
    "  /bye         leave (or Ctrl-D)\n"
    "  Ctrl-C       stop an answer\n";

// The turns so far and what of them the cache holds. Each turn renders the whole conversation; what is computed already is kept.
class Dialogue {
 public:
  Dialogue(Instance& model, const GenerateOptions& options, const std::string& system)
      : model_(model), options_(options), conversation_(model) {
    if (!system.empty()) first_.push_back({"system", system});
    turns_ = first_;
  }
  void clear() {
    turns_ = first_;
    conversation_.cut(0);
  }
  Generated answer(const std::string& user) {
    turns_.push_back({"user", user});
    std::vector<int32_t> ids;
    try {
      ids = model_.chat_template() ? encode_turns(model_, turns_, true) : continued(user);
      size_t same = 0;
      const auto& held = conversation_.tokens();
      while (same < held.size() && same + 1 < ids.size() && held[same] == ids[same])
        ++same;  // at least one token is computed
      conversation_.cut(static_cast<int64_t>(same));
      Generated g = generate(model_, conversation_, std::span(ids).subspan(same), options_, write_out,
                             InterruptScope::interrupted);
      turns_.push_back({"assistant", g.text});
      return g;
    } catch (...) {
      turns_.pop_back();  // a turn that could not be answered did not happen
      throw;
    }
  }
  int64_t held() const { return static_cast<int64_t>(conversation_.tokens().size()); }

 private:
  std::vector<int32_t> continued(const std::string& text) {  // a model without a template goes on with the text
    std::vector<int32_t> ids = conversation_.tokens();
    auto more = ids.empty() ? encode_raw(model_, text) : model_.tokenizer().encode(text, SpecialTokens::as_text);
    ids.insert(ids.end(), more.begin(), more.end());
    return ids;
  }
  Instance& model_;
  GenerateOptions options_;
  std::vector<Message> first_, turns_;
  Conversation conversation_;
};

}  // namespace

void write_out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout))
    fail(ExitCode::io, "output_failed", "standard output cannot be written: is the disk full, or the pipe closed?");
}

std::vector<Message> turns_with(const std::string& system, const std::string& user) {
  std::vector<Message> turns;
  if (!system.empty()) turns.push_back({"system", system});
  turns.push_back({"user", user});
  return turns;
}

std::vector<int32_t> encode_raw(Instance& m, const std::string& text) {
  std::vector<int32_t> ids;
  if (m.tokenizer().add_bos() && m.tokenizer().bos()) ids.push_back(*m.tokenizer().bos());
  auto rest = m.tokenizer().encode(text, SpecialTokens::as_text);
  ids.insert(ids.end(), rest.begin(), rest.end());
  return ids;
}

std::vector<int32_t> encode_turns(Instance& m, const std::vector<Message>& turns, bool add_generation_prompt) {
  return encode_chat(m.tokenizer(), *m.chat_template(), turns, add_generation_prompt);
}

void print_summary(Instance& m, const Generated& g, int64_t kv_tokens) {
  auto dim = style(Style::dim, stderr), plain = style(Style::plain, stderr);
  std::string line = fmt::format("prompt {} tokens, {:.0f} tok/s · answer {} tokens", g.prompt_tokens,
                                 static_cast<double>(g.prompt_tokens) / g.prompt_seconds, g.tokens.size());
  if (g.answer_steps > 0) {
    double rate = static_cast<double>(g.answer_steps) / g.answer_seconds;
    double bytes = static_cast<double>(bytes_read_per_token(m, kv_tokens)) * rate;
    line += fmt::format(", {:.0f} tok/s, {:.1f} GB/s", rate, bytes / 1e9);
    try {
      double limit = quick_read_limit(m);
      line += fmt::format(" ({:.0f} % of {:.0f} GB/s)", 100 * bytes / limit, limit / 1e9);
    } catch (const Error& e) {  // measuring takes memory, and the answer is there without it
      if (e.code() != ExitCode::unavailable) throw;
    }
  }
  line += fmt::format(" · KV {} tokens · {}", kv_tokens, name_of(g.finish));
  fmt::print(stderr, "{}{}{}\n", dim, line, plain);
}

void chat(Instance& model, const GenerateOptions& options, const std::string& system, bool quiet) {
  InterruptScope scope;
  LineEditor editor;
  Dialogue dialogue(model, options, system);
  if (!quiet) fmt::print(stderr, "Type a message; /help lists commands, Ctrl-D leaves.\n");
  for (std::string line;;) {
    auto read = editor.read(line);
    if (read == LineEditor::Read::end) break;
    if (read == LineEditor::Read::interrupted) {
      InterruptScope::reset();
      fmt::print("\nCtrl-D or /bye leaves.\n");
      continue;
    }
    if (line == "/bye" || line == "/exit") return;
    if (line == "/help" || line == "/?")
      write_out(help);
    else if (line == "/clear")
      dialogue.clear();
    else if (line.starts_with('/'))
      write_out("There is no command " + line + "; /help lists them.\n");
    else if (!line.empty()) {
      try {
        Generated g = dialogue.answer(line);
        write_out("\n");
        if (!quiet) print_summary(model, g, dialogue.held());
      } catch (const Error& e) {
        if (e.code() == ExitCode::io || e.code() == ExitCode::internal) throw;
        fmt::print(stderr, "{}\n", e.what());
      }
      InterruptScope::reset();
    }
  }
  fmt::print("\n");
}

}  // namespace ridgeline
