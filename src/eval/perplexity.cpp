#include "eval/perplexity.h"

#include <chrono>

#include "base/error.h"
#include "base/functions.h"
#include "eval/logit_reader.h"
#include "sampling/log_softmax.h"

namespace ridgeline {
namespace {

void require_numbers(std::span<const double> sums, std::string_view model) {
  for (double s : sums)
    if (std::isnan(s))
      fail(ExitCode::internal, "numeric_error",
           "logits of {} are no numbers: its weights or its computation are broken; --check-tensors tells which",
           model);
}

size_t top_of(std::span<const float> row) { return std::max_element(row.begin(), row.end()) - row.begin(); }

void require_same_vocabulary(const Instance& a, const Instance& b) {
  const Tokenizer &x = a.tokenizer(), &y = b.tokenizer();
  if (x.size() != y.size() || vocabulary_of(a.config()) != vocabulary_of(b.config()))
    fail(ExitCode::bad_data, "vocabularies_differ",
         "{} has {} tokens and {} has {}: only models with the same vocabulary can be compared", a.name(),
         vocabulary_of(a.config()), b.name(), vocabulary_of(b.config()));
  for (int32_t id = 0; id < x.size(); ++id)
    if (x.token_text(id) != y.token_text(id))
      fail(ExitCode::bad_data, "vocabularies_differ",
           "token {} is '{}' in {} and '{}' in {}: only models with the same vocabulary can be compared", id,
           x.token_text(id), a.name(), y.token_text(id), b.name());
}

// Both ways of scoring: by one model, or by the model and a reference.
TextReport score(std::vector<Instance*> models, std::span<const int32_t> tokens, std::span<const Window> windows,
                 const OnWindow& on_window, Agreement* agreement) {
  auto start = std::chrono::steady_clock::now();
  Instance& model = *models[0];
  const Tokenizer& tokenizer = model.tokenizer();
  TextReport report;
  LogitReader reader(models);
  std::vector<int32_t> window_tokens;
  std::vector<std::vector<double>> sums(models.size());  // of each model and row
  for (const Window& w : windows) {
    auto part = tokens.subspan(static_cast<size_t>(w.begin), static_cast<size_t>(w.end - w.begin));
    window_tokens.assign(part.begin(), part.end());
    if (tokenizer.add_bos() && tokenizer.bos()) window_tokens[0] = *tokenizer.bos();
    // Nothing is foretold by the last token.
    auto read = std::span(window_tokens).first(window_tokens.size() - 1);
    reader.read(read, w.scored - w.begin - 1, [&](int64_t row, std::span<const Logits> logits) {
      auto rows = static_cast<size_t>(logits[0].rows), done = report.model.losses.size();
      auto next = std::span(window_tokens).subspan(static_cast<size_t>(row) + 1, rows);
      report.tokens.insert(report.tokens.end(), next.begin(), next.end());
      report.model.losses.resize(done + rows);
      for (auto& s : sums) s.assign(rows, 0);
      if (agreement) {
        agreement->reference.losses.resize(done + rows), agreement->divergences.resize(done + rows);
        agreement->differences.resize(done + rows), agreement->same_top.resize(done + rows);
      }
      model.team().run([&](Worker& worker) {
        worker.claim(static_cast<int64_t>(rows), 1, [&](int64_t r, int64_t) {
          auto i = static_cast<size_t>(r), token = static_cast<size_t>(next[i]);
          auto q = logits[0].row(r);
          double q_sum = sums[0][i] = log_sum_exp(q), log_q = static_cast<double>(q[token]) - q_sum;
          report.model.losses[done + i] = -log_q;
          if (!agreement) return;
          auto p = logits[1].row(r);
          double p_sum = sums[1][i] = log_sum_exp(p), log_p = static_cast<double>(p[token]) - p_sum;
          agreement->reference.losses[done + i] = -log_p;
          agreement->divergences[done + i] = divergence(p, p_sum, q, q_sum);
          agreement->differences[done + i] = exp_f64(log_q) - exp_f64(log_p);
          agreement->same_top[done + i] = top_of(p) == top_of(q);
        });
      });
      for (size_t m = 0; m < models.size(); ++m) require_numbers(sums[m], models[m]->name());
    });
    ++report.windows;
    if (on_window) on_window(report.windows);
  }
  for (int32_t t : report.tokens) report.bytes += static_cast<int64_t>(tokenizer.token_bytes(t).size());
  report.computed = reader.computed();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace

std::vector<int32_t> text_tokens(const Tokenizer& t, std::string_view text) {
  std::vector<int32_t> ids = t.encode(text, SpecialTokens::as_text);
  if (t.add_bos() && t.bos()) ids.insert(ids.begin(), *t.bos());
  return ids;
}

double TextScores::perplexity() const { return exp_f64(loss().mean); }
double TextScores::perplexity_error() const { return perplexity() * loss().error; }

double TextReport::bits_per_byte() const {
  double sum = 0;
  for (double x : model.losses) sum += x;
  return bytes ? sum / std::log(2.0) / static_cast<double>(bytes) : 0;
}

Estimate Agreement::loss_difference(const TextScores& model) const {
  std::vector<double> d(model.losses);
  for (size_t i = 0; i < d.size(); ++i) d[i] -= reference.losses[i];
  return estimate(d);
}

Estimate Agreement::top_agreement() const { return estimate(std::vector<double>(same_top.begin(), same_top.end())); }

TextReport score_text(Instance& model, std::span<const int32_t> tokens, std::span<const Window> windows,
                      const OnWindow& on_window) {
  return score({&model}, tokens, windows, on_window, nullptr);
}

std::pair<TextReport, Agreement> compare_on_text(Instance& model, Instance& reference, std::span<const int32_t> tokens,
                                                 std::span<const Window> windows, const OnWindow& on_window) {
  require_same_vocabulary(model, reference);
  Agreement agreement;
  TextReport report = score({&model, &reference}, tokens, windows, on_window, &agreement);
  return {std::move(report), std::move(agreement)};
}

}  // namespace ridgeline
