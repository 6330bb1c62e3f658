#include <algorithm>
#include <cmath>

#include "base/text_table.h"
#include "cost/explain.h"
#include "cost/units.h"
#include "planner/plan.h"

namespace ridgeline {
namespace {

using Align = TextTable::Align;

std::string gb(int64_t bytes) { return bytes_text(static_cast<double>(bytes)); }
std::string percent(double fraction) { return fmt::format("{:.1f} %", 100 * fraction); }
std::string_view word(Limit l) { return l == Limit::memory ? "memory" : "compute"; }
std::string plural(int64_t n, std::string_view what) {
  return fmt::format("{} {}{}", grouped(n), what, n == 1 ? "" : "s");
}
std::string times_text(double ratio) { return figures(ratio) + "x"; }

// "4.52 ms at best, 6.76 ms expected": one time where nothing is known of efficiency.
std::string both(const Plan& p, const TimePair& t) {
  if (p.times == Times::ideal) return time_text(t.ideal);
  return fmt::format("{} ({} at best)", time_text(t.calibrated), time_text(t.ideal));
}

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

std::string decode_lines(const Plan& p) {
  const DecodePoint& one = p.decode.front();
  std::string out =
      fmt::format("{} a token alone ({})", both(p, one.step), rate_text(one.tokens_per_second(p.times), "tok"));
  const DecodePoint* many = nullptr;
  for (const auto& point : p.decode)
    if (point.fits && point.sequences > 1 && point.sequences <= 64) many = &point;
  if (many)
    out += fmt::format("; {} together: {} a step, {}", many->sequences, time_text(many->step.of(p.times)),
                       rate_text(many->tokens_per_second(p.times), "tok"));
  return out + "\n            " + ceiling_text(p.ceiling, p.request.context);
}

std::string prefill_line(const Plan& p) {
  double t = p.prefill.of(p.times);
  return fmt::format("{} tokens in {}, {}, limited by {}", grouped(p.request.prompt), both(p, p.prefill),
                     rate_text(static_cast<double>(p.request.prompt) / t, "tok"), word(p.prefill_step.limit()));
}

std::string helps_line(const Plan& p) {
  std::string out;
  const Situation& s = p.request.situation;
  double now = p.decode.front().step.of(p.times);
  auto int4 = std::ranges::find_if(p.weight_only, [](const WeightOnly& w) { return w.bits < 4.2; });
  if (double t = int4->decode.of(p.times); t < 0.95 * now)
    out += fmt::format("weights in 4 bits: {} alone, {}; nothing past {} tokens a step", time_text(t),
                       times_text(now / t), std::llround(int4->break_even));
  for (const Split& split : p.splits)
    if (split.tensor == 2)
      out += fmt::format("{}two devices: {} alone", out.empty() ? "" : "\n            ",
                         time_text(split.decode.of(p.times)));
  const Speculation* best = nullptr;
  for (const auto& x : p.speculation)
    if (x.sequences == 1 && x.acceptance == 0.8) best = &x;
  if (best)
    out += fmt::format("{}a draft by {} at 80 % acceptance: {} alone with {}", out.empty() ? "" : "\n            ",
                       p.request.draft->model, times_text(best->speedup), plural(best->depth, "token"));
  return out.empty() ? fmt::format("nothing asked here makes {} faster", s.model) : out;
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
  return out + fmt::format("fusion: {} in decode (a naive, unfused prefill takes {}, not {})", percent(saved),
                           time_text(naive.time.of(p.times)), time_text(naive.plain.of(p.times)));
}

std::string answers(const Plan& p) {
  const Situation& s = p.request.situation;
  std::string out = fmt::format("{} ({}, {} parameters) on {}\n", s.model, weight_types(p.deployment->program()),
                                parameter_text(p.deployment->parameters()), machine_text(s));
  auto line = [&](std::string_view title, const std::string& text) { out += fmt::format("{:<11} {}\n", title, text); };
  line("fits", fits_line(p));
  if (p.for_tpot) {
    const BatchForTpot& b = *p.for_tpot;
    line("for " + time_text(b.seconds),
         b.sequences()
             ? fmt::format("at most {} decode together at {} tokens of context ({} by time, {} by memory): {}",
                           grouped(b.sequences()), grouped(p.request.context), grouped(b.by_time), grouped(b.by_memory),
                           rate_text(b.at.tokens_per_second(p.times), "tok"))
             : fmt::format("not even one sequence decodes so fast: it takes {}",
                           time_text(p.decode[0].step.of(p.times))));
  }
  if (p.for_rate) {
    const ForRate& r = *p.for_rate;
    std::string text =
        r.now >= r.rate
            ? fmt::format("one sequence has it already: {}", rate_text(r.now, "tok"))
            : fmt::format("one sequence gets {} now; {}{}{}", rate_text(r.now, "tok"),
                          std::isfinite(r.bandwidth)
                              ? fmt::format("it takes {} of memory bandwidth", bytes_text(r.bandwidth) + "/s")
                              : std::string("no memory bandwidth is enough"),
                          r.bits > 0 ? fmt::format(", or weights of {} bits", figures(r.bits))
                                     : std::string(", and no weight type does it"),
                          r.devices ? fmt::format(", or {} devices by tensor parallelism", *r.devices) : std::string());
    line("for " + rate_text(r.rate, "tok"), text);
  }
  line("decode", decode_lines(p));
  line("prefill", prefill_line(p));
  line("what helps", helps_line(p));
  line("what won't", wont_line(p));
  out += p.times == Times::ideal ? "Times are the machine's limits; no efficiency of its kernels is known. "
                                 : "Times are expected ones, from the machine's measured efficiency. ";
  return out + "Why any number: --why decode.ms, --why kv.tokens, ... (--why list)\n";
}

std::string decode_table(const Plan& p) {
  TextTable t({{"together"},
               {"a step"},
               {"at best"},
               {"tok/s"},
               {"tok/s each"},
               {"FLOP/B"},
               {"limit", Align::left},
               {"KV", Align::left}});
  for (const auto& x : p.decode) {
    double step = x.step.of(p.times);
    t.row({grouped(x.sequences), time_text(step), time_text(x.step.ideal), figures(x.tokens_per_second(p.times), 4),
           figures(1 / step), figures(x.intensity), std::string(word(x.limit)), x.fits ? "fits" : "does not fit"});
  }
  return fmt::format("\nDecode, {} tokens cached in each sequence\n", grouped(p.request.context)) + t.text();
}

std::string memory_table(const Plan& p) {
  const DeviceMemory& m = p.deployment->memory();
  TextTable t({{"memory of a device", Align::left}, {"bytes"}, {"", Align::left}});
  t.row({"capacity", grouped(m.capacity), p.request.situation.hardware.capacity.source});
  t.row({"for weights and KV", grouped(m.budget), percent(p.request.situation.memory_use) + " of it"});
  t.row({"weights", grouped(m.weights), ""});
  t.row({"KV of a token", grouped(m.kv_per_token), ""});
  t.row({"activations of a step", grouped(m.activations),
         fmt::format("of {} tokens", grouped(std::min(Deployment::step_tokens, p.deployment->context())))});
  t.row({"left for KV", grouped(m.free), m.kv_per_token ? fmt::format("{} tokens", grouped(m.kv_tokens())) : ""});
  return "\n" + t.text();
}

std::string serving_table(const Plan& p) {
  if (p.serving.empty()) return "";
  TextTable t({{"requests"}, {"of them decoding"}, {"TTFT"}, {"TPOT"}, {"tok/s"}});
  for (const auto& x : p.serving)
    t.row({grouped(x.load.concurrency), figures(x.decoding), time_text(x.ttft), time_text(x.tpot),
           figures(x.tokens_per_second, 4)});
  return fmt::format(
             "\nServing without pause: prompts of {} tokens, answers of {}; prompts are computed beside answers\n",
             grouped(p.request.load.prompt), grouped(p.request.load.answer)) +
         t.text();
}

std::string weight_table(const Plan& p) {
  TextTable t({{"weights of the layers", Align::left}, {"bits"}, {"a token"}, {"faster"}, {"helps to, tokens a step"}});
  double wide = p.weight_only.front().decode.of(p.times);
  for (const auto& x : p.weight_only)
    t.row({x.name, fmt::format("{:g}", x.bits), time_text(x.decode.of(p.times)),
           times_text(wide / x.decode.of(p.times)), figures(x.break_even)});
  return "\nWeights in fewer bits, computed in the activations' type\n" + t.text();
}

std::string variant_table(const Plan& p) {
  TextTable t({{"written otherwise", Align::left},
               {"step", Align::left},
               {"time"},
               {"as it is"},
               {"bytes"},
               {"as it is"},
               {"FLOP"},
               {"as it is"}});
  for (const auto& v : p.variants)
    t.row({v.name, v.step, time_text(v.time.of(p.times)), time_text(v.plain.of(p.times)), gb(v.bytes),
           gb(v.plain_bytes), quantity(static_cast<double>(v.flops)), quantity(static_cast<double>(v.plain_flops))});
  return "\n" + t.text();
}

std::string split_table(const Plan& p) {
  if (p.splits.empty()) return "";
  TextTable t({{"devices", Align::left},
               {"weights each"},
               {"KV tokens"},
               {"decode"},
               {"prefill"},
               {"on links"},
               {"sent a token"}});
  for (const auto& x : p.splits) {
    std::string name = x.tensor > 1     ? fmt::format("{} tensor", x.tensor)
                       : x.pipeline > 1 ? fmt::format("{} pipeline", x.pipeline)
                                        : "1";
    t.row({name, gb(x.memory.weights), x.memory.fits() ? grouped(x.memory.kv_tokens()) : "does not fit",
           time_text(x.decode.of(p.times)), time_text(x.prefill.of(p.times)), percent(x.link_share),
           bytes_text(x.reduce_bytes + x.hop_bytes)});
  }
  return "\nSplit among devices, one sequence; data parallel copies take the same time and serve side by side\n" +
         t.text();
}

std::string speculation_table(const Plan& p) {
  if (p.speculation.empty()) return "";
  TextTable t(
      {{"together"}, {"acceptance"}, {"best depth"}, {"tokens a round"}, {"a draft step"}, {"verifying"}, {"faster"}});
  for (const auto& x : p.speculation)
    t.row({grouped(x.sequences), fmt::format("{:g}", x.acceptance), fmt::format("{}", x.depth), figures(x.tokens),
           figures(x.draft_cost), figures(x.verify_cost), times_text(x.speedup)});
  return fmt::format("\nSpeculative decoding, drafts by {}; costs in decode steps\n", p.request.draft->model) +
         t.text();
}

std::string fit_table(const Plan& p) {
  if (p.fits.empty()) return "";
  TextTable t({{"weights", Align::left}, {"devices"}, {"weights each"}, {"KV tokens"}, {"context of one"}});
  for (const auto& x : p.fits) {
    if (x.devices)
      t.row({x.type, grouped(x.devices), gb(x.memory.weights), grouped(x.memory.kv_tokens()), grouped(x.context)});
    else
      t.row({x.type, "none", x.memory.weights ? gb(x.memory.weights) : "not of these rows", "", ""});
  }
  return fmt::format("\nWhat fits with {} tokens of context\n", grouped(p.request.context)) + t.text();
}

}  // namespace

std::string plan_text(const Plan& p) {
  std::string mixed = fmt::format("\n{}: {}\n", words(p.mixed_batch), both(p, p.mixed));
  std::string step = fmt::format("\nWhere the time of a step goes: {}\n", words(p.request.step)) +
                     op_table(p.deployment->program(), p.step);
  return answers(p) + fit_table(p) + step + decode_table(p) + mixed + serving_table(p) + memory_table(p) +
         weight_table(p) + variant_table(p) + split_table(p) + speculation_table(p);
}

}  // namespace ridgeline
