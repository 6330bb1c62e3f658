#include <algorithm>

#include "cost/explain.h"
#include "cost/units.h"
#include "planner/plan_lines.h"
#include "planner/plan_words.h"

namespace ridgeline {
namespace {

using Align = TextTable::Align;

PlanTable decode_table(const Plan& p) {
  PlanTable t{fmt::format("Decode, {} tokens cached in each sequence", grouped(p.request.context)),
              {{"together"},
               {"a step"},
               {"at best"},
               {"tok/s"},
               {"tok/s each"},
               {"FLOP/B"},
               {"limit", Align::left},
               {"KV", Align::left}},
              {}};
  for (const auto& x : p.decode) {
    double step = x.step.of(p.times);
    t.row({grouped(x.sequences), time_text(step), time_text(x.step.ideal), figures(x.tokens_per_second(p.times), 4),
           figures(1 / step), figures(x.intensity), std::string(name_of(x.limit)), x.fits ? "fits" : "does not fit"});
  }
  return t;
}

PlanTable memory_table(const Plan& p) {
  const DeviceMemory& m = p.deployment->memory();
  PlanTable t{{}, {{"memory of a device", Align::left}, {"bytes"}, {"", Align::left}}, {}};
  t.row({"capacity", grouped(m.capacity), p.request.situation.hardware.capacity.source});
  t.row({"for weights and KV", grouped(m.budget), percent(p.request.situation.memory_use) + " of it"});
  t.row({"weights", grouped(m.weights), ""});
  t.row({"KV of a token", grouped(m.kv_per_token), ""});
  t.row({"activations of a step", grouped(m.activations),
         fmt::format("of {} tokens", grouped(std::min(Deployment::step_tokens, p.deployment->context())))});
  t.row({"left for KV", grouped(m.free), m.kv_per_token ? fmt::format("{} tokens", grouped(m.kv_tokens())) : ""});
  return t;
}

PlanTable serving_table(const Plan& p) {
  PlanTable t{
      fmt::format("Serving without pause: prompts of {} tokens, answers of {}; prompts are computed beside answers",
                  grouped(p.request.load.prompt), grouped(p.request.load.answer)),
      {{"requests"}, {"of them decoding"}, {"TTFT"}, {"TPOT"}, {"tok/s"}},
      {}};
  for (const auto& x : p.serving)
    t.row({grouped(x.load.concurrency), figures(x.decoding), time_text(x.ttft), time_text(x.tpot),
           figures(x.tokens_per_second, 4)});
  return t;
}

PlanTable weight_table(const Plan& p) {
  PlanTable t{"Weights in fewer bits, computed in the activations' type",
              {{"weights of the layers", Align::left}, {"bits"}, {"a token"}, {"faster"}, {"helps to, tokens a step"}},
              {}};
  double wide = p.weight_only.front().decode.of(p.times);
  for (const auto& x : p.weight_only)
    t.row({x.name, fmt::format("{:g}", x.bits), time_text(x.decode.of(p.times)),
           times_text(wide / x.decode.of(p.times)), figures(x.break_even)});
  return t;
}

PlanTable variant_table(const Plan& p) {
  PlanTable t{{},
              {{"written otherwise", Align::left},
               {"step", Align::left},
               {"time"},
               {"as it is"},
               {"bytes"},
               {"as it is"},
               {"FLOP"},
               {"as it is"}},
              {}};
  for (const auto& v : p.variants)
    t.row({v.name, v.step, time_text(v.time.of(p.times)), time_text(v.plain.of(p.times)), gb(v.bytes),
           gb(v.plain_bytes), quantity(static_cast<double>(v.flops)), quantity(static_cast<double>(v.plain_flops))});
  return t;
}

PlanTable split_table(const Plan& p) {
  PlanTable t{"Split among devices, one sequence; data parallel copies take the same time and serve side by side",
              {{"devices", Align::left},
               {"weights each"},
               {"KV tokens"},
               {"decode"},
               {"prefill"},
               {"on links"},
               {"sent a token"}},
              {}};
  for (const auto& x : p.splits) {
    std::string name = x.tensor > 1     ? fmt::format("{} tensor", x.tensor)
                       : x.pipeline > 1 ? fmt::format("{} pipeline", x.pipeline)
                                        : "1";
    t.row({name, gb(x.memory.weights), x.memory.fits() ? grouped(x.memory.kv_tokens()) : "does not fit",
           time_text(x.decode.of(p.times)), time_text(x.prefill.of(p.times)), percent(x.link_share),
           bytes_text(x.reduce_bytes + x.hop_bytes)});
  }
  return t;
}

PlanTable speculation_table(const Plan& p) {
  PlanTable t{
      fmt::format("Speculative decoding, drafts by {}; costs in decode steps", p.request.draft->model),
      {{"together"}, {"acceptance"}, {"best depth"}, {"tokens a round"}, {"a draft step"}, {"verifying"}, {"faster"}},
      {}};
  for (const auto& x : p.speculation)
    t.row({grouped(x.sequences), fmt::format("{:g}", x.acceptance), fmt::format("{}", x.depth), figures(x.tokens),
           figures(x.draft_cost), figures(x.verify_cost), times_text(x.speedup)});
  return t;
}

PlanTable fit_table(const Plan& p) {
  PlanTable t{fmt::format("What fits with {} tokens of context", grouped(p.request.context)),
              {{"weights", Align::left}, {"devices"}, {"weights each"}, {"KV tokens"}, {"context of one"}},
              {}};
  for (const auto& x : p.fits) {
    if (x.devices)
      t.row({x.type, grouped(x.devices), gb(x.memory.weights), grouped(x.memory.kv_tokens()), grouped(x.context)});
    else
      t.row({x.type, "none", x.memory.weights ? gb(x.memory.weights) : "not of these rows", "", ""});
  }
  return t;
}

PlanTable engine_table(const EngineNeed& n) {
  PlanTable t{"", {{"memory of this engine", Align::left}, {"bytes"}, {"", Align::left}}, {}};
  t.row({"program", grouped(n.program), ""});
  t.row({"vocabulary", grouped(n.vocabulary), ""});
  t.row({"weights, packed", grouped(n.weights),
         fmt::format("{} once loaded", bytes_text(static_cast<double>(n.loaded())))});
  t.row({"KV cache, touched", grouped(n.kv),
         fmt::format("of a cache for {} tokens; {} without huge pages", grouped(n.context),
                     grouped(n.kv_without_huge_pages))});
  t.row({"values of a step", grouped(n.scratch), fmt::format("a prompt of {}", grouped(n.prompt))});
  t.row({"peak", grouped(n.peak()), ""});
  return t;
}

}  // namespace

std::vector<PlanTable> plan_tables(const Plan& p) {
  std::vector<PlanTable> tables;
  if (!p.fits.empty()) tables.push_back(fit_table(p));
  tables.push_back(decode_table(p));
  tables.push_back({fmt::format("{}: {}", words(p.mixed_batch), both(p, p.mixed)), {}, {}});
  if (!p.serving.empty()) tables.push_back(serving_table(p));
  for (auto table : {memory_table, weight_table, variant_table}) tables.push_back(table(p));
  if (!p.splits.empty()) tables.push_back(split_table(p));
  if (!p.speculation.empty()) tables.push_back(speculation_table(p));
  if (p.engine) tables.push_back(engine_table(*p.engine));
  return tables;
}

}  // namespace ridgeline
