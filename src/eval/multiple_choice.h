// Multiple choice: which of several continuations a model finds most likely.
#pragma once
#include <cstdint>
#include <functional>
#include <istream>
#include <string>
#include <vector>

#include "eval/statistics.h"
#include "instance/instance.h"

namespace ridgeline {

struct Question {
  int64_t line;  // of the file, from 1
  std::string context;
  std::vector<std::string> choices;
  int64_t answer;  // index of the right one
};

// One question from a line of JSON: an object with exactly one of "question", "query" and "context" (a string), "choices" (two
// strings or more, none empty), and exactly one of "answer" and "gold" (the index of the right one, from 0). Other keys are
// ignored. Throws bad_data, "bad_question", with the number of the line.
Question parse_question(std::string_view json, int64_t line);
// A file of such lines (JSONL); blank ones are passed over. Throws as above; bad_data, "no_questions" where there is none.
// most: reads no further than so many questions; -1: all.
std::vector<Question> read_questions(std::string_view text, const std::string& name, int64_t most = -1);

struct ScoredQuestion {
  int64_t line, answer;
  std::vector<double> log_likelihoods;  // ln p of each choice's tokens after the context
  std::vector<int64_t> bytes;           // of each choice's text
  int64_t best() const;                 // the greatest log likelihood; of equals the first
  int64_t best_normalised() const;      // the greatest log likelihood per byte
};

struct ChoiceReport {
  std::vector<ScoredQuestion> questions;
  int64_t computed = 0;  // tokens
  double seconds = 0;
  Estimate accuracy() const;             // lm-evaluation-harness's acc
  Estimate accuracy_normalised() const;  // its acc_norm
};

// As lm-evaluation-harness scores: the text is context + " " + choice, spaces that end the context count to the choice, and of the
// whole text's tokens those after the context's own are the choice's. An empty context is bos, or eos where there is none.
// Throws bad_data, "question_too_long", with the line, where a text does not fit the model's context.
ChoiceReport score_choices(Instance&, const std::vector<Question>&, const std::function<void(int64_t done)>& = {});

}  // namespace ridgeline
