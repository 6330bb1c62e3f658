// How well a model foretells a text, and how far two models that read it agree.
#pragma once
#include <functional>
#include <string_view>

#include "eval/statistics.h"
#include "eval/windows.h"
#include "instance/instance.h"

namespace ridgeline {

// The ids of a text as a model is given it: with bos in front where its tokenizer says so.
std::vector<int32_t> text_tokens(const Tokenizer&, std::string_view text);

// Scores of one model over the scored tokens, in the order of the text.
struct TextScores {
  std::vector<double> losses;  // -ln p of each token, nats
  Estimate loss() const { return estimate(losses); }
  double perplexity() const;        // e^mean
  double perplexity_error() const;  // to first order: perplexity times the error of the mean
};

struct TextReport {
  int64_t windows = 0, computed = 0;  // computed: tokens that went through each model
  int64_t bytes = 0;                  // of the text of the scored tokens
  double seconds = 0;
  std::vector<int32_t> tokens;  // that were scored
  TextScores model;
  double bits_per_byte() const;  // does not depend on how the text is cut into tokens
};

// How the distributions of a model differ from those of a reference, per scored token: P is the reference's, Q the model's.
struct Agreement {
  TextScores reference;
  std::vector<double> divergences;                          // KL(P || Q), nats
  std::vector<double> differences;                          // q(token) - p(token) of the token that came
  std::vector<char> same_top;                               // both have the same most probable token
  Estimate loss_difference(const TextScores& model) const;  // model - reference, in pairs
  Estimate top_agreement() const;
};

// on_window(done): after each window. Where the tokenizer begins texts with bos, bos takes the place of each window's first
// token, as in llama.cpp. The softmax is over all logits of the model. Throws Error (internal, "numeric_error") where logits
// are no numbers.
using OnWindow = std::function<void(int64_t done)>;
TextReport score_text(Instance& model, std::span<const int32_t> tokens, std::span<const Window>, const OnWindow& = {});
// The same, by two models in step. Throws bad_data, "vocabularies_differ", where they do not have the same tokens.
std::pair<TextReport, Agreement> compare_on_text(Instance& model, Instance& reference, std::span<const int32_t> tokens,
                                                 std::span<const Window>, const OnWindow& = {});

}  // namespace ridgeline
