// The turns of a conversation, and what of them the cache holds.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "cli/answer_options.h"
#include "cli/saved_chat.h"
#include "instance/generate.h"

namespace ridgeline {

// Each turn renders the whole conversation; what is computed already is kept. What throws leaves everything as it was: a turn
// that could not be answered did not happen.
class Dialogue {
 public:
  // Throws Error (usage, "no_template") for a system prompt without a template to place it.
  Dialogue(Instance&, const AnswerOptions&, const std::string& system);

  using OnText = std::function<void(std::string_view)>;
  // Ctrl-C ends an answer; what there is of it stays. Throws what generate and encode_chat throw.
  Generated answer(const std::string& user, const OnText&);
  // The last question again, with the next seed. Throws Error (usage, "no_answer_yet") where there is none.
  Generated answer_again(const OnText&);
  void clear();  // forgets the turns

  void set_system(const std::string& text);  // from the next answer on; empty: none. Throws as the constructor
  // From the next answer on. Throws Error (usage), see set_answer_option; also for a bias on a token that is not there.
  void set_option(std::string_view name, const std::string& value);
  void unset_option(std::string_view name);  // as it was at first

  SavedChat saved() const;
  // Everything but the model becomes as saved. Throws Error (usage) for settings that are not allowed, and for turns of a model
  // without a template that was another.
  void resume(const SavedChat&);

  const Instance& model() const { return model_; }
  const AnswerOptions& options() const { return options_; }
  const std::string& system() const { return system_; }
  const std::vector<Turn>& turns() const { return turns_; }
  int64_t held() const { return static_cast<int64_t>(conversation_.tokens().size()); }  // tokens in the cache

 private:
  std::vector<int32_t> prompt();
  void check_turns(const SavedChat&) const;
  void adopt(AnswerOptions);

  Instance& model_;
  AnswerOptions first_, options_;
  std::string system_;
  std::vector<Turn> turns_;
  Conversation conversation_;
};

}  // namespace ridgeline
