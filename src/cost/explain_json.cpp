#include <nlohmann/json.hpp>

#include "cost/explain.h"
#include "cost/roofline.h"
#include "cost/totals.h"
#include "program/memory_plan.h"

namespace ridgeline {
namespace {

using Json = nlohmann::ordered_json;

Json op_json(const Program& p, const StepCost& c, size_t i, const std::vector<std::string>& labels) {
  const Node& n = p.nodes[i];
  const OpCost& o = c.ops[i];
  Json results = Json::array(), bytes;
  for (Value v : n.results) {
    Json shape = Json::array();
    for (const Dim& d : p.type(v).shape) shape.push_back(d.at(c.batch));
    results.push_back(
        {{"name", labels[static_cast<size_t>(v.id)]}, {"type", name_of(p.type(v).dtype)}, {"shape", shape}});
  }
  for (Role r : {Role::weight, Role::activation, Role::kv, Role::index}) {
    bytes[fmt::format("{}_read", name_of(r))] = o.read[static_cast<size_t>(r)];
    bytes[fmt::format("{}_write", name_of(r))] = o.written[static_cast<size_t>(r)];
  }
  return {{"layer", n.layer},
          {"op", n.op.name()},
          {"text", p.text(n, labels)},
          {"results", results},
          {"matmul_flops", o.matmul},
          {"attention_flops", o.attention},
          {"elementwise_flops", o.elementwise},
          {"bytes", bytes}};
}

Json time_json(const auto& t) {
  return {{"limit", name_of(t.limit())}, {"ideal_seconds", t.ideal}, {"calibrated_seconds", t.calibrated}};
}

}  // namespace

Json totals_json(const Totals& t, const BatchShape& batch) {
  Json out;
  for (const auto& row : total_rows()) out[row.key] = (t.*row.count).at(batch);
  return out;
}

Json explain_json(const Stage& s, const BatchShape& asked, const Roofline* on) {
  std::optional<StepTime> time = on ? std::optional(on->at(asked)) : std::nullopt;
  StepCost c = time ? time->cost() : step_cost(s.program, asked);
  Totals t = totals(s.program);
  MemoryPlan plan = plan_memory(s.program, c.batch);
  Json formulas, ops = Json::array();
  for (const auto& row : total_rows()) formulas[row.key] = (t.*row.count).text();
  auto labels = s.program.labels();
  for (size_t i = 0; i < c.ops.size(); ++i) {
    ops.push_back(op_json(s.program, c, i, labels));
    if (time) ops.back().update(time_json(time->ops[i]));
  }
  auto read = [&](Role r) { return c.sum.read[static_cast<size_t>(r)]; };
  Json out = {{"model", s.program.name},
              {"params", t.params},
              {"weights", weight_types(s.program)},
              {"batch", asked.text()},
              {"computed_batch", c.batch.text()},
              {"after", s.pass},
              {"totals", totals_json(t, c.batch)},
              {"formulas", formulas},
              {"step",
               {{"flops", c.sum.flops()},
                {"bytes", c.sum.bytes()},
                {"flops_per_byte", c.sum.intensity()},
                {"weight_read_bytes", read(Role::weight)},
                {"ops", c.ops.size()}}},
              {"memory", {{"peak_activation_bytes", plan.peak}, {"unshared_activation_bytes", plan.total}}},
              {"ops", ops}};
  if (time) out["hardware"] = on->hardware().name, out["step"].update(time_json(*time));
  return out;
}

}  // namespace ridgeline
