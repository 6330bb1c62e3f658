#include <nlohmann/json.hpp>

#include "cost/totals.h"
#include "planner/plan.h"

namespace ridgeline {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const TimePair& t) { return {{"ideal_seconds", t.ideal}, {"calibrated_seconds", t.calibrated}}; }

Json json_of(const OpCost& c) {
  Json j = {{"flops", c.flops()}, {"bytes", c.bytes()}};
  for (int r = 0; r < role_count; ++r)
    j[std::string(name_of(static_cast<Role>(r))) + "_bytes"] = c.bytes(static_cast<Role>(r));
  return j;
}

Json json_of(const StepTime& t) {
  Json j = {{"batch", t.batch.text()}, {"ideal_seconds", t.ideal}, {"calibrated_seconds", t.calibrated}};
  j["limit"] = name_of(t.limit());
  j["link_seconds"] = t.link_calibrated;
  j["overhead_seconds"] = t.overhead;
  j.update(json_of(t.sum));
  return j;
}

Json json_of(const DeviceMemory& m) {
  Json j = {{"capacity", m.capacity}, {"budget", m.budget},
            {"weights", m.weights},   {"activations", m.activations},
            {"free", m.free},         {"kv_per_token", m.kv_per_token},
            {"fits", m.fits()}};
  j["kv_tokens"] = m.kv_per_token ? Json(m.kv_tokens()) : Json();
  return j;
}

template <class T, class F>
Json list(const std::vector<T>& items, F f) {
  Json j = Json::array();
  for (const T& x : items) j.push_back(f(x));
  return j;
}

Json request_json(const PlanRequest& r) {
  const Situation& s = r.situation;
  return {{"model", s.model},
          {"hardware", s.hardware.name},
          {"tensor", s.tensor},
          {"pipeline", s.pipeline},
          {"data", s.data},
          {"memory_use", s.memory_use},
          {"context", r.context},
          {"prompt", r.prompt},
          {"serving_prompt", r.load.prompt},
          {"serving_answer", r.load.answer},
          {"draft", r.draft ? Json(r.draft->model) : Json()}};
}

Json step_json(const Plan& p) {
  Json j = json_of(p.step);
  const Program& program = p.deployment->program();
  auto labels = program.labels();
  j["ops"] = Json::array();
  for (size_t i = 0; i < p.step.ops.size(); ++i) {
    const OpTime& op = p.step.ops[i];
    Json o = {{"op", program.text(program.nodes[i], labels)}, {"layer", program.nodes[i].layer}};
    o.update(json_of(op.cost));
    o.update({{"intensity", op.cost.intensity()},
              {"limit", name_of(op.limit())},
              {"arithmetic", name_of(op.arithmetic)},
              {"ideal_seconds", op.ideal},
              {"calibrated_seconds", op.calibrated}});
    j["ops"].push_back(std::move(o));
  }
  return j;
}

void add_questions(const Plan& p, Json& j) {
  if (const auto& b = p.for_tpot)
    j["for_tpot"] = {
        {"seconds", b->seconds}, {"by_time", b->by_time}, {"by_memory", b->by_memory}, {"sequences", b->sequences()}};
  if (const auto& r = p.for_rate)
    j["for_rate"] = {{"rate", r->rate},
                     {"now", r->now},
                     {"bandwidth", std::isfinite(r->bandwidth) ? Json(r->bandwidth) : Json()},
                     {"bits", r->bits},
                     {"devices", r->devices ? Json(*r->devices) : Json()}};
  if (!p.fits.empty())
    j["fit"] = list(p.fits, [](const Fit& f) {
      return Json{{"type", f.type},
                  {"devices", f.devices},
                  {"weights", f.memory.weights},
                  {"kv_tokens", f.devices ? Json(f.memory.kv_tokens()) : Json()},
                  {"context", f.context}};
    });
}

}  // namespace

Json plan_json(const Plan& p) {
  Json j = {{"request", request_json(p.request)},
            {"parameters", p.deployment->parameters()},
            {"times", p.times == Times::ideal ? "ideal" : "calibrated"},
            {"memory", json_of(p.deployment->memory())}};
  j["decode"] = list(p.decode, [&](const DecodePoint& x) {
    Json point = {{"sequences", x.sequences}};
    point.update(json_of(x.step));
    point.update({{"tokens_per_second", x.tokens_per_second(p.times)},
                  {"intensity", x.intensity},
                  {"limit", name_of(x.limit)},
                  {"fits", x.fits}});
    return point;
  });
  j["prefill"] = json_of(p.prefill_step);
  j["mixed"] = {{"batch", p.mixed_batch.text()}};
  j["mixed"].update(json_of(p.mixed));
  j["batching_ceiling"] = {{"flops_per_token", p.ceiling.flops_per_token},
                           {"kv_bytes", p.ceiling.kv_bytes},
                           {"intensity", std::isfinite(p.ceiling.intensity) ? Json(p.ceiling.intensity) : Json()},
                           {"ridge", p.ceiling.ridge},
                           {"compute_bound_below", p.ceiling.compute_bound_below}};
  j["serving"] = list(p.serving, [](const ServingPoint& x) {
    return Json{{"requests", x.load.concurrency},
                {"decoding", x.decoding},
                {"ttft_seconds", x.ttft},
                {"tpot_seconds", x.tpot},
                {"tokens_per_second", x.tokens_per_second}};
  });
  j["weight_only"] = list(p.weight_only, [](const WeightOnly& x) {
    Json row = {{"name", x.name}, {"bits", x.bits}, {"break_even_tokens", x.break_even}};
    row.update(json_of(x.decode));
    return row;
  });
  j["variants"] = list(p.variants, [](const Variant& v) {
    return Json{{"name", v.name},          {"step", v.step},
                {"time", json_of(v.time)}, {"plain", json_of(v.plain)},
                {"bytes", v.bytes},        {"plain_bytes", v.plain_bytes},
                {"flops", v.flops},        {"plain_flops", v.plain_flops}};
  });
  j["splits"] = list(p.splits, [](const Split& x) {
    return Json{{"tensor", x.tensor},
                {"pipeline", x.pipeline},
                {"memory", json_of(x.memory)},
                {"decode", json_of(x.decode)},
                {"prefill", json_of(x.prefill)},
                {"link_share", x.link_share},
                {"reduce_bytes", x.reduce_bytes},
                {"hop_bytes", x.hop_bytes}};
  });
  j["speculation"] = list(p.speculation, [](const Speculation& x) {
    return Json{{"sequences", x.sequences}, {"acceptance", x.acceptance}, {"depth", x.depth},
                {"tokens", x.tokens},       {"draft_cost", x.draft_cost}, {"verify_cost", x.verify_cost},
                {"speedup", x.speedup}};
  });
  add_questions(p, j);
  j["step"] = step_json(p);
  if (const auto& n = p.engine)
    j["engine"] = {{"program", n->program}, {"vocabulary", n->vocabulary},
                   {"weights", n->weights}, {"loaded", n->loaded()},
                   {"context", n->context}, {"prompt", n->prompt},
                   {"kv", n->kv},           {"kv_without_huge_pages", n->kv_without_huge_pages},
                   {"scratch", n->scratch}, {"peak", n->peak()}};
  return j;
}

}  // namespace ridgeline
