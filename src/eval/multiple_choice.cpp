#include "eval/multiple_choice.h"

#include <chrono>

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "eval/logit_reader.h"
#include "eval/perplexity.h"
#include "sampling/log_softmax.h"

namespace ridgeline {
namespace {

template <class... A>
[[noreturn]] void refuse(int64_t line, fmt::format_string<A...> text, A&&... args) {
  fail(ExitCode::bad_data, "bad_question", "line {}: {}", line, fmt::format(text, std::forward<A>(args)...));
}

// The value of the one key of `keys` that is there.
const Json& one_of(const Json& object, std::initializer_list<const char*> keys, int64_t line) {
  const Json* found = nullptr;
  for (const char* key : keys)
    if (auto at = object.find(key); at != object.end()) {
      if (found) refuse(line, "more than one of the keys {}", fmt::join(keys, ", "));
      found = &*at;
    }
  if (!found) refuse(line, "none of the keys {}", fmt::join(keys, ", "));
  return *found;
}

// What a model is asked: whose tokens from `given` on are the choice's.
struct Continuation {
  std::vector<int32_t> tokens;
  size_t given;
};

Continuation continuation(const Instance& model, const Question& q, size_t choice) {
  const Tokenizer& tokenizer = model.tokenizer();
  std::string context = q.context;
  while (!context.empty() && std::isspace(static_cast<unsigned char>(context.back()))) context.pop_back();
  Continuation c{text_tokens(tokenizer, q.context + " " + q.choices[choice]), text_tokens(tokenizer, context).size()};
  if (context.empty() && c.given == 0) {
    auto first = tokenizer.bos() ? tokenizer.bos() : tokenizer.eos();
    if (!first) refuse(q.line, "the context is empty, and the model has no token that begins a text");
    c.tokens.insert(c.tokens.begin(), *first);
    c.given = 1;
  }
  if (c.given >= c.tokens.size()) refuse(q.line, "choice {} adds no token to the context", choice);
  if (static_cast<int64_t>(c.tokens.size()) > model.context())
    fail(ExitCode::bad_data, "question_too_long",
         "line {}: a question and a choice take {} tokens, and the context holds {}: give -c {} or more", q.line,
         c.tokens.size(), model.context(), c.tokens.size());
  return c;
}

double log_likelihood(LogitReader& reader, const Instance& model, const Continuation& c) {
  double sum = 0;
  std::span read(c.tokens.data(), c.tokens.size() - 1);
  reader.read(read, static_cast<int64_t>(c.given) - 1, [&](int64_t row, std::span<const Logits> logits) {
    for (int64_t r = 0; r < logits[0].rows; ++r) {
      auto values = logits[0].row(r);
      sum += static_cast<double>(values[static_cast<size_t>(c.tokens[static_cast<size_t>(row + r + 1)])]) -
             log_sum_exp(values);
    }
  });
  if (std::isnan(sum))
    fail(ExitCode::internal, "numeric_error",
         "logits of {} are no numbers: its weights or its computation are broken; --check-tensors tells which",
         model.name());
  return sum;
}

template <class Right>
Estimate part_of(const std::vector<ScoredQuestion>& questions, Right right) {
  std::vector<double> values;
  for (const auto& q : questions) values.push_back(right(q));
  return estimate(values);
}

}  // namespace

Question parse_question(std::string_view text, int64_t line) {
  const Json j =
      read_json(text, {"bad_question", fmt::format("line {}", line)}, {.bytes = limits::question_file_bytes});
  if (!j.is_object()) refuse(line, "a question is an object in braces, not {}", j.type_name());
  const Json& context = one_of(j, {"question", "query", "context"}, line);
  if (!context.is_string()) refuse(line, "the question must be a string, not {}", context.type_name());
  Question q{line, context.get<std::string>(), {}, 0};
  const Json& choices = one_of(j, {"choices"}, line);
  if (!choices.is_array() || choices.size() < 2) refuse(line, "\"choices\" must be a list of two strings or more");
  if (choices.size() > limits::choices)
    refuse(line, "there are {} choices; {} are the most", choices.size(), limits::choices);
  for (const Json& c : choices) {
    if (!c.is_string()) refuse(line, "choice {} must be a string, not {}", q.choices.size(), c.type_name());
    q.choices.push_back(c.get<std::string>());
    if (q.choices.back().empty()) refuse(line, "choice {} is empty", q.choices.size() - 1);
  }
  const Json& answer = one_of(j, {"answer", "gold"}, line);
  auto most = static_cast<int64_t>(q.choices.size()) - 1;
  bool whole = answer.is_number_integer() && (!answer.is_number_unsigned() || answer.get<uint64_t>() < limits::choices);
  q.answer = whole ? answer.get<int64_t>() : -1;
  if (q.answer < 0 || q.answer > most)
    refuse(line, "the answer must be the index of a choice, 0 to {}, not {}", most, answer.dump().substr(0, 20));
  return q;
}

std::vector<Question> read_questions(std::string_view text, const std::string& name, int64_t most) {
  std::vector<Question> questions;
  int64_t number = 0;
  while (!text.empty() && (most < 0 || static_cast<int64_t>(questions.size()) < most)) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    ++number;
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    try {
      questions.push_back(parse_question(line, number));
    } catch (const Error& e) { throw e.in(name); }
  }
  if (questions.empty()) fail(ExitCode::bad_data, "no_questions", "{} holds no questions", name);
  return questions;
}

int64_t ScoredQuestion::best() const {
  return std::max_element(log_likelihoods.begin(), log_likelihoods.end()) - log_likelihoods.begin();
}
int64_t ScoredQuestion::best_normalised() const {
  std::vector<double> each(log_likelihoods);
  for (size_t i = 0; i < each.size(); ++i) each[i] /= static_cast<double>(bytes[i]);
  return std::max_element(each.begin(), each.end()) - each.begin();
}

Estimate ChoiceReport::accuracy() const {
  return part_of(questions, [](const ScoredQuestion& q) { return q.best() == q.answer; });
}
Estimate ChoiceReport::accuracy_normalised() const {
  return part_of(questions, [](const ScoredQuestion& q) { return q.best_normalised() == q.answer; });
}

ChoiceReport score_choices(Instance& model, const std::vector<Question>& questions,
                           const std::function<void(int64_t)>& on_question) {
  auto start = std::chrono::steady_clock::now();
  LogitReader reader({&model});
  ChoiceReport report;
  for (const Question& q : questions) {
    ScoredQuestion scored{q.line, q.answer, {}, {}};
    for (size_t i = 0; i < q.choices.size(); ++i) {
      scored.log_likelihoods.push_back(log_likelihood(reader, model, continuation(model, q, i)));
      scored.bytes.push_back(static_cast<int64_t>(q.choices[i].size()));
    }
    report.questions.push_back(std::move(scored));
    if (on_question) on_question(static_cast<int64_t>(report.questions.size()));
  }
  report.computed = reader.computed();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace ridgeline
