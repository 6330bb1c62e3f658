#include "cli/answer_text.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/printable.h"
#include "base/text_table.h"
#include "cli/answer_options.h"
#include "cli/terminal.h"
#include "instance/bench.h"

namespace ridgeline {
namespace {

using OrderedJson = nlohmann::ordered_json;

double rate(int64_t tokens, double seconds) { return static_cast<double>(tokens) / seconds; }

OrderedJson probability_json(const TokenProbability& p, const Tokenizer& tokenizer) {
  return {{"token", p.token}, {"text", tokenizer.decode({&p.token, 1})}, {"logprob", p.log_probability}};
}

// A token's text in quotes, which show its spaces.
std::string quoted(int32_t token, const Tokenizer& tokenizer) { return printable(tokenizer.decode({&token, 1})); }

}  // namespace

void print_summary(Instance& m, const Generated& g, int64_t kv_tokens) {
  auto dim = style(Style::dim, stderr), plain = style(Style::plain, stderr);
  std::string line = fmt::format("prompt {} tokens, {:.0f} tok/s · answer {} tokens", g.prompt_tokens,
                                 rate(g.prompt_tokens, g.prompt_seconds), g.tokens.size());
  if (g.answer_steps > 0) {
    double speed = rate(g.answer_steps, g.answer_seconds);
    double bytes = static_cast<double>(bytes_read_per_token(m, kv_tokens)) * speed;
    line += fmt::format(", {:.0f} tok/s, {:.1f} GB/s", speed, bytes / 1e9);
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

OrderedJson answer_json(const Instance& m, std::span<const int32_t> prompt, const Generated& g,
                        const GenerateOptions& o) {
  std::string finish(name_of(g.finish));
  std::ranges::replace(finish, ' ', '_');
  OrderedJson j{{"model", m.name()},
                {"prompt_tokens", g.prompt_tokens},
                {"prompt_ids", prompt},
                {"prompt_seconds", g.prompt_seconds},
                {"prompt_tokens_per_second", rate(g.prompt_tokens, g.prompt_seconds)},
                {"answer_tokens", g.tokens.size()},
                {"ids", g.tokens},
                {"text", g.text},
                {"finish", finish},
                {"answer_seconds", g.answer_seconds},
                {"answer_tokens_per_second", nullptr}};
  if (g.answer_steps > 0) j["answer_tokens_per_second"] = rate(g.answer_steps, g.answer_seconds);
  if (o.probabilities >= 0) {
    j["logprobs"] = OrderedJson::array();
    for (const auto& p : g.probabilities) {
      OrderedJson token = probability_json(p.chosen, m.tokenizer());
      token["top"] = OrderedJson::array();
      for (const auto& t : p.top) token["top"].push_back(probability_json(t, m.tokenizer()));
      j["logprobs"].push_back(std::move(token));
    }
  }
  j["settings"] = answer_options_json(o);
  return j;
}

std::string probabilities_text(const Generated& g, const Tokenizer& tokenizer) {
  if (g.probabilities.empty()) return {};
  using Align = TextTable::Align;
  TextTable table({{"token"}, {"ln p"}, {"p, %"}, {"text", Align::left}, {"most probable, ln p", Align::left}});
  for (const auto& p : g.probabilities) {
    std::string top;
    for (const auto& t : p.top)
      top += fmt::format("{}{} {:.3f}", top.empty() ? "" : "  ", quoted(t.token, tokenizer), t.log_probability);
    table.row({fmt::format("{}", p.chosen.token), fmt::format("{:.4f}", p.chosen.log_probability),
               fmt::format("{:.2f}", 100 * std::exp(p.chosen.log_probability)), quoted(p.chosen.token, tokenizer),
               top});
  }
  return table.text();
}

}  // namespace ridgeline
