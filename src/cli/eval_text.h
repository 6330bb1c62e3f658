// The results of `eval`, for people and as JSON.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "eval/multiple_choice.h"
#include "eval/perplexity.h"

namespace ridgeline {

struct TextEvaluation {
  std::string model, text;
  int64_t text_tokens, context, stride;
  bool chunks;
  TextReport report = {};
  std::string reference_name = {};  // as given to --compare
  std::optional<Agreement> agreement = {};
};

std::string evaluation_text(const TextEvaluation&);
nlohmann::ordered_json evaluation_json(const TextEvaluation&);
// Every scored token, its text, its loss in nats, and where there is a reference its KL divergence.
std::string token_losses_text(const TextEvaluation&, const Tokenizer&);
nlohmann::ordered_json token_losses_json(const TextEvaluation&, const Tokenizer&);

// questions: the file's name. all: every question with its choices' log likelihoods too.
std::string choices_text(const ChoiceReport&, const std::string& model, const std::string& questions, bool all);
nlohmann::ordered_json choices_json(const ChoiceReport&, const std::string& model, const std::string& questions,
                                    bool all);

}  // namespace ridgeline
