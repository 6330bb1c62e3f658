#include "cli/dialogue.h"

#include <utility>

#include "base/error.h"
#include "cli/prompt.h"
#include "cli/terminal.h"

namespace ridgeline {

Dialogue::Dialogue(Instance& model, const AnswerOptions& options, const std::string& system)
    : model_(model), first_(options), conversation_(model) {
  adopt(options);
  set_system(system);
}

void Dialogue::clear() {
  turns_.clear();
  conversation_.cut(0);
}

void Dialogue::set_system(const std::string& text) {
  require_place_for_system(model_, text);
  system_ = text;
}

void Dialogue::adopt(AnswerOptions options) {
  options.generate.sampler.check_tokens(model_.tokenizer().size());
  options_ = std::move(options);
}

void Dialogue::set_option(std::string_view name, const std::string& value) {
  AnswerOptions changed = options_;
  set_answer_option(changed, name, value);
  adopt(std::move(changed));
}

void Dialogue::unset_option(std::string_view name) {
  AnswerOptions changed = options_;
  unset_answer_option(changed, name, first_);
  adopt(std::move(changed));
}

// The ids of the whole conversation. A model without a template goes on with the text.
std::vector<int32_t> Dialogue::prompt() {
  std::vector<int32_t> ids;
  if (model_.chat_template()) {
    std::vector<Message> messages;
    if (!system_.empty()) messages.push_back({"system", system_});
    for (const Turn& t : turns_) messages.push_back({t.role, t.content});
    ids = encode_turns(model_, messages, true);
  } else {
    Turn& last = turns_.back();
    last.tokens = turns_.size() == 1 ? encode_raw(model_, last.content)
                                     : model_.tokenizer().encode(last.content, SpecialTokens::as_text);
    for (const Turn& t : turns_) ids.insert(ids.end(), t.tokens.begin(), t.tokens.end());
  }
  if (ids.empty()) fail(ExitCode::usage, "no_prompt", "the message holds no tokens");
  return ids;
}

Generated Dialogue::answer(const std::string& user, const OnText& on_text) {
  turns_.push_back({"user", user, {}});
  try {
    std::vector<int32_t> ids = prompt();
    size_t same = 0;
    const auto& cached = conversation_.tokens();
    while (same < cached.size() && same + 1 < ids.size() && cached[same] == ids[same])
      ++same;  // at least one token is computed
    conversation_.cut(static_cast<int64_t>(same));
    Generated g = generate(model_, conversation_, std::span(ids).subspan(same), options_.generate, on_text,
                           InterruptScope::interrupted);
    turns_.push_back({"assistant", g.text, model_.chat_template() ? std::vector<int32_t>() : g.tokens});
    return g;
  } catch (...) {
    turns_.pop_back();
    throw;
  }
}

Generated Dialogue::answer_again(const OnText& on_text) {
  if (turns_.empty()) fail(ExitCode::usage, "no_answer_yet", "there is no answer yet that could be given again");
  std::vector<Turn> last(turns_.end() - 2, turns_.end());
  uint64_t& seed = options_.generate.sampler.seed;
  uint64_t before = seed;
  turns_.resize(turns_.size() - 2);
  seed = (seed + 1) & INT64_MAX;  // --seed takes no more
  try {
    return answer(last[0].content, on_text);
  } catch (...) {
    turns_.insert(turns_.end(), last.begin(), last.end());
    seed = before;
    throw;
  }
}

SavedChat Dialogue::saved() const { return {model_.name(), system_, turns_, answer_options_json(options_.generate)}; }

void Dialogue::check_turns(const SavedChat& chat) const {
  if (model_.chat_template() || chat.turns.empty()) return;
  if (chat.model != model_.name())
    fail(ExitCode::usage, "other_model",
         "the conversation was held with {}, and {} has no chat template that could render its turns", chat.model,
         model_.name());
  for (const Turn& t : chat.turns)
    for (int32_t id : t.tokens)
      if (id >= model_.tokenizer().size())
        fail(ExitCode::bad_data, "token_out_of_range", "the conversation holds token {}: expected less than {}", id,
             model_.tokenizer().size());
}

void Dialogue::resume(const SavedChat& chat) {
  AnswerOptions changed = options_;
  for (const auto& [name, value] : chat.settings.items()) set_answer_option_json(changed, name, value);
  require_place_for_system(model_, chat.system);
  check_turns(chat);
  std::vector<Turn> turns = chat.turns;
  if (model_.chat_template())
    for (Turn& t : turns) t.tokens.clear();
  adopt(std::move(changed));
  system_ = chat.system;
  turns_ = std::move(turns);
  conversation_.cut(0);
}

}  // namespace ridgeline
