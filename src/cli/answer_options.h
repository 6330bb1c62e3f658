// How answers are chosen and when they end: the options of `run`, which /set of a chat changes by the same names and rules.
#pragma once
#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "instance/generate.h"

namespace ridgeline {

// seed: as given; -1: another each time. generate.sampler.seed is what it became, see choose_seed().
struct AnswerOptions {
  GenerateOptions generate;
  int64_t seed = -1;
  void choose_seed();
};

void add_answer_options(CLI::App& command, AnswerOptions& options);

// "temp", "top-k", ...: the long names of these options.
std::vector<std::string> answer_option_names();

// By name, with '-' or '_' between words: `value` as on the command line. Throws Error (usage) as the command line would, with
// the nearest name; `options` are as they were then.
void set_answer_option(AnswerOptions& options, std::string_view name, const std::string& value);

// As it is in `other`.
void unset_answer_option(AnswerOptions& options, std::string_view name, const AnswerOptions& other);

// Every option with its value, named with '_': numbers, true or false, for stop and logit_bias lists of text. logprobs is null
// where none are wanted; seed is the one that is used.
nlohmann::ordered_json answer_options_json(const GenerateOptions&);
// One of them back. Throws Error (usage) as set_answer_option, and where the value has another type.
void set_answer_option_json(AnswerOptions& options, std::string_view name, const nlohmann::json& value);

}  // namespace ridgeline
