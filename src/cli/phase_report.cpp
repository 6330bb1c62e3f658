#include "cli/phase_report.h"

#include "base/text_table.h"
#include "cli/terminal.h"
#include "cost/units.h"
#include "instance/bench.h"

namespace ridgeline {
namespace {

constexpr double line_seconds = 0.5;  // between two lines about the answer

// The same model with a KV cache: its weights keep the types they have.
Program with_cache(const Instance& m) {
  std::map<std::string, DType> types;
  for (const auto& v : m.program().values)
    if (v.origin == Program::Origin::weight) types[v.name] = v.type.dtype;
  PipelineOptions o;
  o.retype.matrix = [types](const std::string& name, DType now) {
    auto at = types.find(name);
    return at == types.end() ? now : at->second;
  };
  return apply(build(m.name(), DType::bf16, m.config()), o);
}

void say(const std::string& line) {
  auto dim = style(Style::dim, stderr), plain = style(Style::plain, stderr);
  // The answer is being written too: a line of its own, so that the two can be told apart.
  fmt::print(stderr, "{}{}[{}]{}\n", is_terminal(stdout) && is_terminal(stderr) ? "\n" : "", dim, line, plain);
}

std::string percent(double x) { return fmt::format("{:.0f} %", 100 * x); }

}  // namespace

PhaseReport::PhaseReport(Instance& m) : model_(m), limits_(limits_now(m)), roof_(m.program(), limits_) {
  if (!m.program().is_cached()) cached_.emplace(with_cache(m), limits_);
}

double PhaseReport::ideal(const Roofline& roof, const StepDone& step) const {
  return roof.at({{{step.fresh, step.cached, 1}}}).ideal;
}

std::string PhaseReport::kv_text() const {
  if (!model_.kv()) return "no KV cache";
  int64_t token = KvMemory::block_bytes(model_.program(), head_dim_of(model_.config())) / block_tokens;
  return fmt::format("KV {} tokens, {}", grouped(held_), bytes_text(static_cast<double>(held_ * token)));
}

void PhaseReport::add(const StepDone& step) {
  bool prompt = prompt_.tokens == 0;
  double best = ideal(roof_, step);
  for (Phase* p : {prompt ? &prompt_ : &answer_, &lately_})
    p->tokens += step.fresh, p->seconds += step.seconds, p->ideal += best;
  held_ = step.cached + step.fresh;
  computed_ += model_.kv() ? step.fresh : held_;
  if (prompt) {
    say_prompt(step);
    lately_ = {};
    return;
  }
  if (cached_) with_cache_ += ideal(*cached_, step);
  if (lately_.seconds >= line_seconds) say_answer();
}

void PhaseReport::say_prompt(const StepDone& step) const {
  StepTime t = roof_.at({{{step.fresh, step.cached, 1}}});
  say(fmt::format("prefill: {} tokens in {}, {}, {} of its roof ({}) · {}", grouped(step.fresh),
                  time_text(step.seconds), rate_text(static_cast<double>(step.fresh) / step.seconds, "tok"),
                  percent(prompt_.of_roof()),
                  t.limit() == Limit::memory ? bytes_text(limits_.bandwidth.value) + "/s" : "arithmetic", kv_text()));
}

void PhaseReport::say_answer() {
  double next = ideal(roof_, {1, held_, 0});
  say(fmt::format("decode: {} tokens, {}, {} of its roof ({}/s) · {} · next step {} at best, {} expected",
                  grouped(answer_.tokens), rate_text(static_cast<double>(lately_.tokens) / lately_.seconds, "tok"),
                  percent(lately_.of_roof()), bytes_text(limits_.bandwidth.value), kv_text(), time_text(next),
                  time_text(next / lately_.of_roof())));
  lately_ = {};
}

void PhaseReport::finish() {
  if (lately_.tokens) say_answer();
  TextTable t({{"phase", TextTable::Align::left}, {"tokens"}, {"took"}, {"at best"}, {"of its roof"}, {"tok/s"}});
  for (auto [name, phase] : {std::pair{"prefill", &prompt_}, {"decode", &answer_}})
    if (phase->tokens)
      t.row({name, grouped(phase->tokens), time_text(phase->seconds), time_text(phase->ideal),
             percent(phase->of_roof()), figures(static_cast<double>(phase->tokens) / phase->seconds)});
  std::string text = "\n" + t.text();
  if (cached_ && answer_.tokens)
    text += fmt::format(
        "Without a KV cache {} tokens were computed to keep {}: the answer took {}, {} at best. With one it is {} at "
        "best, {} times less.\n",
        grouped(computed_), grouped(held_), time_text(answer_.seconds), time_text(answer_.ideal),
        time_text(with_cache_), figures(answer_.ideal / with_cache_));
  fmt::print(stderr, "{}", text);
}

}  // namespace ridgeline
