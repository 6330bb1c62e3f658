#include "cli/answer_options.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <random>

#include "base/edit_distance.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/printable.h"
#include "cli/application.h"

namespace ridgeline {
namespace {

constexpr int most_logprobs = 20;

// The double whose shortest text is that of the float: 0.8, not 0.800000011920929.
double shortest(float x) {
  std::string text = fmt::format("{}", x);
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string spelt(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '_', '-');
  return text;
}

std::string known(std::string_view given) {
  std::string name = spelt(given);
  auto names = answer_option_names();
  if (std::ranges::find(names, name) != names.end()) return name;
  std::string meant = likely_meant(name, names);
  fail(ExitCode::usage, "unknown_setting", "there is no setting '{}'{}\nThere are: {}", escaped(given, 48),
       meant.empty() ? "" : fmt::format("; did you mean {}?", meant), fmt::join(names, ", "));
}

// Options of a command line that has these alone.
void parse(AnswerOptions& options, std::vector<std::string> arguments) {
  AnswerOptions changed = options;
  CLI::App app;
  app.set_help_flag();
  add_answer_options(app, changed);
  require_decimal_numbers(app);
  std::ranges::reverse(arguments);  // as CLI11 takes them
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& e) { fail(ExitCode::usage, "bad_setting", "{}", e.what()); }
  changed.generate.sampler.check();
  if (app.count("--seed")) changed.choose_seed();
  options = std::move(changed);
}

std::string text_of(std::string_view name, const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  fail(ExitCode::usage, "bad_setting", "{} is {}: expected a number, a text or a list of texts", name,
       value.type_name());
}

}  // namespace

void AnswerOptions::choose_seed() {
  generate.sampler.seed = seed >= 0 ? static_cast<uint64_t>(seed) : std::random_device{}();
}

void add_answer_options(CLI::App& c, AnswerOptions& o) {
  constexpr auto group = "Sampling", adjusting = "Penalties and bias";
  auto& s = o.generate.sampler;
  c.add_option("-n,--predict", o.generate.limit, "Tokens to generate at most; -1: no limit")
      ->option_text("N [-1]")
      ->group(group)
      ->check(CLI::Range(int64_t{-1}, limits::context));
  c.add_option("--temp", s.temperature, "Temperature; 0: always the most probable token")
      ->option_text("X [0.8]")
      ->group(group);
  c.add_option("--top-k", s.top_k, "Keep the k most probable tokens; 0: all")->option_text("N [40]")->group(group);
  c.add_option("--top-p", s.top_p, "Keep the fewest tokens that reach this probability; 1: all")
      ->option_text("X [0.95]")
      ->group(group);
  c.add_option("--min-p", s.min_p, "Drop tokens below this part of the greatest probability; 0: none")
      ->option_text("X [0.05]")
      ->group(group);
  c.add_option("-s,--seed", o.seed, "Seed; -1: another each time")
      ->option_text("N [-1]")
      ->group(group)
      ->check(CLI::Range(int64_t{-1}, INT64_MAX));
  c.add_option("--stop", o.generate.stops, "End where this text comes; may be given several times")
      ->option_text("TEXT")
      ->allow_extra_args(false)
      ->group(group);
  c.add_flag("--ignore-eos", o.generate.ignore_eos, "Go on past the end-of-text token")->group(group);
  c.add_option("--logprobs", o.generate.probabilities,
               "The log probability of each token, and so many of the most probable; by the model, before sampling")
      ->option_text("N")
      ->group(group)
      ->check(CLI::Range(0, most_logprobs));
  c.add_option("--repeat-penalty", s.repeat_penalty, "Divides the logits of tokens that are there already; 1: none")
      ->option_text("X [1]")
      ->group(adjusting);
  c.add_option("--frequency-penalty", s.frequency_penalty, "Taken from a token's logit each time it is there, -2 to 2")
      ->option_text("X [0]")
      ->group(adjusting);
  c.add_option("--presence-penalty", s.presence_penalty, "Taken from a token's logit if it is there, -2 to 2")
      ->option_text("X [0]")
      ->group(adjusting);
  c.add_option("--repeat-last-n", s.repeat_last_n,
               "How many of the last tokens penalties look at, prompt included; -1: all, 0: none")
      ->option_text("N [64]")
      ->group(adjusting)
      ->check(CLI::Range(int64_t{-1}, limits::context));
  c.add_option_function<std::vector<std::string>>(
       "--logit-bias",
       [&s](const std::vector<std::string>& list) {
         s.logit_bias.clear();
         for (const auto& text : list) s.logit_bias.push_back(read_logit_bias(text));
       },
       "Added to a token's logit: 15043+1, 15043-2.5, 15043-inf (never); may be given several times")
      ->option_text("ID+BIAS")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->group(adjusting);
}

std::vector<std::string> answer_option_names() {
  AnswerOptions unused;
  CLI::App app;
  app.set_help_flag();
  add_answer_options(app, unused);
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) names.push_back(option->get_lnames().front());
  return names;
}

void set_answer_option(AnswerOptions& options, std::string_view name, const std::string& value) {
  std::string option = known(name);
  if (value.empty()) fail(ExitCode::usage, "bad_setting", "{} needs a value: /set {} VALUE", option, option);
  parse(options, {fmt::format("--{}={}", option, value)});
}

void unset_answer_option(AnswerOptions& options, std::string_view name, const AnswerOptions& other) {
  std::string key = known(name);
  std::ranges::replace(key, '-', '_');
  set_answer_option_json(options, key, answer_options_json(other.generate)[key]);
}

nlohmann::ordered_json answer_options_json(const GenerateOptions& o) {
  const SamplerOptions& s = o.sampler;
  nlohmann::ordered_json stops = nlohmann::ordered_json::array(), biases = stops, logprobs;
  for (const auto& stop : o.stops) stops.push_back(stop);
  for (const auto& b : s.logit_bias) biases.push_back(text_of(b));
  if (o.probabilities >= 0) logprobs = o.probabilities;
  return {{"predict", o.limit},
          {"temp", shortest(s.temperature)},
          {"top_k", s.top_k},
          {"top_p", shortest(s.top_p)},
          {"min_p", shortest(s.min_p)},
          {"seed", s.seed},
          {"stop", stops},
          {"ignore_eos", o.ignore_eos},
          {"logprobs", logprobs},
          {"repeat_penalty", shortest(s.repeat_penalty)},
          {"frequency_penalty", shortest(s.frequency_penalty)},
          {"presence_penalty", shortest(s.presence_penalty)},
          {"repeat_last_n", s.repeat_last_n},
          {"logit_bias", biases}};
}

void set_answer_option_json(AnswerOptions& options, std::string_view name, const nlohmann::json& value) {
  std::string option = known(name);
  if (option == "logprobs" && value.is_null()) {
    options.generate.probabilities = -1;
  } else if (option == "stop" || option == "logit-bias") {
    if (!value.is_array())
      fail(ExitCode::usage, "bad_setting", "{} is {}: expected a list of texts", option, value.type_name());
    std::vector<std::string> arguments;
    for (const auto& element : value) arguments.push_back(fmt::format("--{}={}", option, text_of(option, element)));
    AnswerOptions changed = options;
    if (option == "stop")
      changed.generate.stops.clear();
    else
      changed.generate.sampler.logit_bias.clear();
    if (!arguments.empty()) parse(changed, arguments);
    options = std::move(changed);
  } else {
    set_answer_option(options, name, text_of(option, value));
  }
}

}  // namespace ridgeline
