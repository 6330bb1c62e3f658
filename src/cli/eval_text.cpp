#include "cli/eval_text.h"

#include <nlohmann/json.hpp>

#include "base/text_table.h"
#include "cli/terminal.h"

namespace ridgeline {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view line = "{:<26}{}\n";

std::string with_error(const Estimate& e, int digits) {
  return fmt::format("{:.{}f} ± {:.{}f}", e.mean, digits, e.error, digits);
}
Json estimate_json(const Estimate& e) { return {{"mean", e.mean}, {"standard_error", e.error}}; }

struct Spread {
  double median, p99, p999, most;
};
Spread spread(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return {quantile(values, 0.5), quantile(values, 0.99), quantile(values, 0.999), values.back()};
}
double root_mean_square(std::span<const double> values) {
  double sum = 0;
  for (double v : values) sum += v * v;
  return values.empty() ? 0 : std::sqrt(sum / static_cast<double>(values.size()));
}

std::string agreement_text(const TextEvaluation& e) {
  const Agreement& a = *e.agreement;
  const TextScores& model = e.report.model;
  std::string out = fmt::format("\nbeside {} (the reference, P)\n", e.reference_name);
  auto add = [&](std::string_view name, const std::string& value) {
    out += fmt::format(fmt::runtime(line), name, value);
  };
  double ours = model.perplexity(), theirs = a.reference.perplexity();
  Estimate log_ratio = a.loss_difference(model);
  add("its perplexity", fmt::format("{:.4f} ± {:.4f}", theirs, a.reference.perplexity_error()));
  add("difference", fmt::format("{:+.4f} ({:+.3f} % ± {:.3f})", ours - theirs, 100 * (std::exp(log_ratio.mean) - 1),
                                100 * std::exp(log_ratio.mean) * log_ratio.error));
  Spread s = spread(a.divergences);
  add("KL(P || Q), nats", fmt::format("mean {} · median {:.6f} · 99 % {:.6f} · 99.9 % {:.6f} · max {:.6f}",
                                      with_error(estimate(a.divergences), 6), s.median, s.p99, s.p999, s.most));
  Estimate top = a.top_agreement();
  add("same most probable token", fmt::format("{:.3f} ± {:.3f} %", 100 * top.mean, 100 * top.error));
  add("change of p(token)", fmt::format("mean {:+.4f} % · root mean square {:.4f} %",
                                        100 * estimate(a.differences).mean, 100 * root_mean_square(a.differences)));
  return out;
}

Json agreement_json(const TextEvaluation& e) {
  const Agreement& a = *e.agreement;
  Spread s = spread(a.divergences);
  double ours = e.report.model.perplexity(), theirs = a.reference.perplexity();
  return {{"reference", e.reference_name},
          {"perplexity", theirs},
          {"perplexity_standard_error", a.reference.perplexity_error()},
          {"perplexity_difference", ours - theirs},
          {"loss_difference", estimate_json(a.loss_difference(e.report.model))},
          {"kl_divergence",
           {{"mean", estimate(a.divergences).mean},
            {"standard_error", estimate(a.divergences).error},
            {"median", s.median},
            {"p99", s.p99},
            {"p999", s.p999},
            {"max", s.most}}},
          {"same_top_token", estimate_json(a.top_agreement())},
          {"probability_difference",
           {{"mean", estimate(a.differences).mean}, {"root_mean_square", root_mean_square(a.differences)}}}};
}

}  // namespace

std::string evaluation_text(const TextEvaluation& e) {
  const TextReport& r = e.report;
  auto bold = style(Style::bold, stdout), plain = style(Style::plain, stdout);
  std::string way = e.chunks ? fmt::format("chunks of {}, the second half of each scored", grouped(e.context))
                             : fmt::format("windows of {}, stride {}", grouped(e.context), grouped(e.stride));
  std::string out =
      fmt::format("{}{}{}   {}: {} tokens, {}\n\n", bold, e.model, plain, e.text, grouped(e.text_tokens), way);
  auto add = [&](std::string_view name, const std::string& value) {
    out += fmt::format(fmt::runtime(line), name, value);
  };
  add("perplexity", fmt::format("{}{:.4f}{} ± {:.4f}", bold, r.model.perplexity(), plain, r.model.perplexity_error()));
  add("nats per token", with_error(r.model.loss(), 5));
  add("bits per byte", fmt::format("{:.4f}", r.bits_per_byte()));
  add("scored",
      fmt::format("{} tokens in {} windows", grouped(static_cast<int64_t>(r.tokens.size())), grouped(r.windows)));
  add("computed", fmt::format("{} tokens in {:.2f} s, {:.0f} tok/s", grouped(r.computed), r.seconds,
                              static_cast<double>(r.computed) / r.seconds));
  return e.agreement ? out + agreement_text(e) : out;
}

Json evaluation_json(const TextEvaluation& e) {
  const TextReport& r = e.report;
  Json j{{"model", e.model},
         {"text", e.text},
         {"text_tokens", e.text_tokens},
         {"context", e.context},
         {"stride", e.chunks ? e.context : e.stride},
         {"method", e.chunks ? "chunks" : "sliding_window"},
         {"perplexity", r.model.perplexity()},
         {"perplexity_standard_error", r.model.perplexity_error()},
         {"loss", estimate_json(r.model.loss())},
         {"bits_per_byte", r.bits_per_byte()},
         {"tokens_scored", r.tokens.size()},
         {"windows", r.windows},
         {"tokens_computed", r.computed},
         {"seconds", r.seconds},
         {"tokens_per_second", static_cast<double>(r.computed) / r.seconds}};
  if (e.agreement) j["compare"] = agreement_json(e);
  return j;
}

std::string token_losses_text(const TextEvaluation& e, const Tokenizer& tokenizer) {
  std::vector<TextTable::Column> columns{{"token"}, {"nats"}};
  if (e.agreement) columns.insert(columns.end(), {{"reference"}, {"KL"}});
  columns.push_back({"text", TextTable::Align::left});
  TextTable table(std::move(columns));
  for (size_t i = 0; i < e.report.tokens.size(); ++i) {
    int32_t token = e.report.tokens[i];
    std::vector<std::string> row{fmt::format("{}", token), fmt::format("{:.5f}", e.report.model.losses[i])};
    if (e.agreement) {
      row.push_back(fmt::format("{:.5f}", e.agreement->reference.losses[i]));
      row.push_back(fmt::format("{:.6f}", e.agreement->divergences[i]));
    }
    row.push_back(Json(tokenizer.decode({&token, 1})).dump());
    table.row(std::move(row));
  }
  return table.text();
}

Json token_losses_json(const TextEvaluation& e, const Tokenizer& tokenizer) {
  Json list = Json::array();
  for (size_t i = 0; i < e.report.tokens.size(); ++i) {
    int32_t token = e.report.tokens[i];
    Json j{{"token", token}, {"text", tokenizer.decode({&token, 1})}, {"loss", e.report.model.losses[i]}};
    if (e.agreement) {
      j["reference_loss"] = e.agreement->reference.losses[i];
      j["kl_divergence"] = e.agreement->divergences[i];
    }
    list.push_back(std::move(j));
  }
  return list;
}

std::string choices_text(const ChoiceReport& r, const std::string& model, const std::string& questions, bool all) {
  std::string out;
  if (all) {
    using Align = TextTable::Align;
    TextTable table({{"line"}, {"right"}, {"acc"}, {"acc_norm"}, {"log likelihoods", Align::left}});
    for (const auto& q : r.questions) {
      std::vector<std::string> sums;
      for (double x : q.log_likelihoods) sums.push_back(fmt::format("{:.4f}", x));
      table.row({fmt::format("{}", q.line), fmt::format("{}", q.answer), fmt::format("{}", q.best()),
                 fmt::format("{}", q.best_normalised()), fmt::format("{}", fmt::join(sums, "  "))});
    }
    out = table.text() + "\n";
  }
  auto bold = style(Style::bold, stdout), plain = style(Style::plain, stdout);
  auto percent = [](const Estimate& e) { return fmt::format("{:.2f} ± {:.2f} %", 100 * e.mean, 100 * e.error); };
  double chance = 0;
  for (const auto& q : r.questions) chance += 1 / static_cast<double>(q.bytes.size());
  auto n = static_cast<int64_t>(r.questions.size());
  out += fmt::format("{}{}{}   {}: {} questions\n\n", bold, model, plain, questions, grouped(n));
  auto add = [&](std::string_view name, const std::string& value) {
    out += fmt::format(fmt::runtime(line), name, value);
  };
  add("acc", percent(r.accuracy()));
  add("acc_norm, per byte", percent(r.accuracy_normalised()));
  add("by chance", fmt::format("{:.2f} %", 100 * chance / static_cast<double>(n)));
  add("computed", fmt::format("{} tokens in {:.2f} s, {:.0f} tok/s", grouped(r.computed), r.seconds,
                              static_cast<double>(r.computed) / r.seconds));
  return out;
}

Json choices_json(const ChoiceReport& r, const std::string& model, const std::string& questions, bool all) {
  Json j{{"model", model},
         {"file", questions},
         {"questions", r.questions.size()},
         {"acc", r.accuracy().mean},
         {"acc_stderr", r.accuracy().error},
         {"acc_norm", r.accuracy_normalised().mean},
         {"acc_norm_stderr", r.accuracy_normalised().error},
         {"tokens_computed", r.computed},
         {"seconds", r.seconds},
         {"tokens_per_second", static_cast<double>(r.computed) / r.seconds}};
  if (!all) return j;
  j["scores"] = Json::array();
  for (const auto& q : r.questions)
    j["scores"].push_back({{"line", q.line},
                           {"answer", q.answer},
                           {"best", q.best()},
                           {"best_normalised", q.best_normalised()},
                           {"log_likelihoods", q.log_likelihoods}});
  return j;
}

}  // namespace ridgeline
