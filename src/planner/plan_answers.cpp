#include <algorithm>
#include <cmath>

#include "cost/explain.h"
#include "cost/units.h"
#include "planner/plan_lines.h"
#include "planner/plan_words.h"

namespace ridgeline {
namespace {

std::string machine_text(const Situation& s) {
  const Hardware& h = s.hardware;
  if (s.devices() == 1) return fmt::format("one {}", h.title);
  std::string split;
  for (auto [n, what] : {std::pair{s.tensor, "tensor"}, {s.pipeline, "pipeline"}, {s.data, "data"}})
    if (n > 1) split += fmt::format("{}{} {}", split.empty() ? "" : " x ", n, what);
  return fmt::format("{} of {} ({} parallel)", s.devices(), h.title, split);
}

std::string fits_line(const Plan& p) {
  const Deployment& d = *p.deployment;
  const DeviceMemory& m = d.memory();
  std::string device = p.request.situation.tensor * p.request.situation.pipeline > 1 ? " a device" : "";
  if (!m.fits())
    return fmt::format("no: {} of weights{}, and {} of its {} are for them; --fit shows what would", gb(m.weights),
                       device, gb(m.budget), gb(m.capacity));
  if (!m.kv_per_token) return fmt::format("{} of weights{}, {} left; no KV cache", gb(m.weights), device, gb(m.free));
  int64_t full = d.contiguous_sequences(d.context()), paged = d.paged_sequences(1024);
  std::string contexts = full ? fmt::format("{} of {}", plural(full, "full context"), grouped(d.context()))
                              : fmt::format("not one full context of {}", grouped(d.context()));
  return fmt::format("{} of weights{}, {} left: {} tokens of KV = {}, or {} of 1,024 when paged", gb(m.weights), device,
                     gb(m.free), grouped(m.kv_tokens()), contexts, grouped(paged));
}

std::string ceiling_text(const BatchingCeiling& c, int64_t context) {
  if (c.kv_bytes <= 0) return "limited by memory until the batch reaches the ridge";
  if (c.intensity < c.ridge)
    return fmt::format(
        "limited by memory at every batch: KV of {} tokens caps it at {} FLOP/B, the ridge is {}; below {} tokens it "
        "would not",
        grouped(context), figures(c.intensity), figures(c.ridge), grouped(c.compute_bound_below));
  return fmt::format("limited by compute once the batch is large enough (not past {} tokens of context)",
                     grouped(c.compute_bound_below));
}

std::vector<std::string> decode_lines(const Plan& p) {
  const DecodePoint& one = p.alone;
  std::string out =
      fmt::format("{} a token alone ({})", both(p, one.step), rate_text(one.tokens_per_second(p.times), "tok"));
  const DecodePoint* many = nullptr;
  for (const auto& point : p.decode)
    if (point.fits && point.sequences > 1 && point.sequences <= 64) many = &point;
  if (many)
    out += fmt::format("; {} together: {} a step, {}", many->sequences, time_text(many->step.of(p.times)),
                       rate_text(many->tokens_per_second(p.times), "tok"));
  const Situation& s = p.request.situation;
  // Copies serve side by side; stages can each hold a batch of their own.
  if (int together = s.data * s.pipeline; together > 1 && many)
    out += fmt::format(" ({} such batches at a time: {})", together,
                       rate_text(together * many->tokens_per_second(p.times), "tok"));
  return {out, ceiling_text(p.ceiling, p.request.context)};
}

std::string prefill_line(const Plan& p) {
  double t = p.prefill.of(p.times);
  return fmt::format("{} tokens in {}, {}, limited by {}", grouped(p.request.prompt), both(p, p.prefill),
                     rate_text(static_cast<double>(p.request.prompt) / t, "tok"), name_of(p.prefill_step.limit()));
}

std::vector<std::string> helps_lines(const Plan& p) {
  std::vector<std::string> out;
  const Situation& s = p.request.situation;
  double now = p.alone.step.of(p.times);
  auto int4 = std::ranges::find_if(p.weight_only, [](const WeightOnly& w) { return w.bits < 4.2; });
  if (double t = int4->decode.of(p.times); t < 0.95 * now)
    out.push_back(fmt::format("weights in 4 bits: {} alone, {}; nothing past {} tokens a step", time_text(t),
                              times_text(now / t), std::llround(int4->break_even)));
  for (const Split& split : p.splits)
    if (split.tensor == 2) out.push_back(fmt::format("two devices: {} alone", time_text(split.decode.of(p.times))));
  const Speculation* best = nullptr;
  for (const auto& x : p.speculation)
    if (x.sequences == 1 && x.acceptance == 0.8) best = &x;
  if (best)
    out.push_back(fmt::format("a draft by {} at 80 % acceptance: {} alone with {}", p.request.draft->model,
                              times_text(best->speedup), plural(best->depth, "token")));
  if (out.empty()) out.push_back(fmt::format("nothing asked here makes {} faster", s.model));
  return out;
}

std::string wont_line(const Plan& p) {
  auto of = [&](std::string_view name, std::string_view step) -> const Variant& {
    return *std::ranges::find_if(p.variants, [&](const Variant& v) { return v.name == name && v.step == step; });
  };
  std::string out;
  if (p.step.limit() == Limit::memory) out += "more compute: decode stays as it is · ";
  const Variant& decode = of("nothing fused", "decode");
  const Variant& naive = of("naive attention, nothing fused", "prefill");
  double saved = 1 - decode.plain.ideal / decode.time.ideal;
  return out + fmt::format("fusion: {} % in decode (a naive, unfused prefill takes {}, not {})",
                           figures(100 * saved, 2), time_text(naive.time.of(p.times)),
                           time_text(naive.plain.of(p.times)));
}

std::string tpot_line(const Plan& p) {
  const BatchForTpot& b = *p.for_tpot;
  if (!b.sequences())
    return fmt::format("not even one sequence decodes so fast: it takes {}", time_text(p.alone.step.of(p.times)));
  return fmt::format("at most {} decode together at {} tokens of context ({} by time, {} by memory): {}",
                     grouped(b.sequences()), grouped(p.request.context), grouped(b.by_time), grouped(b.by_memory),
                     rate_text(b.at.tokens_per_second(p.times), "tok"));
}

std::string rate_line(const ForRate& r) {
  if (r.now >= r.rate) return fmt::format("one sequence has it already: {}", rate_text(r.now, "tok"));
  return fmt::format("one sequence gets {} now; {}{}{}", rate_text(r.now, "tok"),
                     std::isfinite(r.bandwidth)
                         ? fmt::format("it takes {} of memory bandwidth", bytes_text(r.bandwidth) + "/s")
                         : std::string("no memory bandwidth is enough"),
                     r.bits > 0 ? fmt::format(", or weights of {} bits", figures(r.bits))
                                : std::string(", and no weight type does it"),
                     r.devices ? fmt::format(", or {} devices by tensor parallelism", *r.devices) : std::string());
}

}  // namespace

std::string plan_heading(const Plan& p) {
  const Situation& s = p.request.situation;
  std::string types = weight_types(p.deployment->program());
  if (s.weight_bits) types += fmt::format(", layers in {:g} bits", *s.weight_bits);
  if (s.kv_bits) types += fmt::format(", KV in {:g} bits", *s.kv_bits);
  if (s.math) types += fmt::format(", products in {}", name_of(*s.math));
  return fmt::format("{} ({}, {} parameters) on {}", s.model, types, parameter_text(p.deployment->parameters()),
                     machine_text(s));
}

std::vector<PlanAnswer> plan_answers(const Plan& p) {
  std::vector<PlanAnswer> out = {{"fits", {fits_line(p)}}};
  if (p.for_tpot) out.push_back({"for " + time_text(p.for_tpot->seconds), {tpot_line(p)}});
  if (p.for_rate) out.push_back({"for " + rate_text(p.for_rate->rate, "tok"), {rate_line(*p.for_rate)}});
  out.push_back({"decode", decode_lines(p)});
  out.push_back({"prefill", {prefill_line(p)}});
  out.push_back({"what helps", helps_lines(p)});
  out.push_back({"what won't", {wont_line(p)}});
  return out;
}

std::string times_remark(const Plan& p) {
  if (p.times == Times::calibrated) return "Times are expected ones, from the machine's measured efficiency.";
  std::string engines;
  for (const auto& [name, e] : p.request.situation.hardware.engines) engines += (engines.empty() ? "" : ", ") + name;
  if (engines.empty()) return "Times are the machine's limits; no efficiency of its kernels is known.";
  return fmt::format("Times are the machine's limits; expected ones with --engine: {}.", engines);
}

}  // namespace ridgeline
