#include <nlohmann/json.hpp>

#include "cost/explain.h"
#include "profiler/profile_opportunities.h"
#include "profiler/profile_report.h"

namespace ridgeline {
namespace {

using Json = nlohmann::ordered_json;

void add_work(Json& j, const OpCost& c) { j["flops"] = c.flops(), j["bytes"] = c.bytes(); }
void add_times(Json& j, const Profile& p, const OpProfile& t) {
  j["ideal_seconds"] = t.ideal;
  if (p.predicted) j["predicted_seconds"] = t.predicted;
  j["measured_seconds"] = t.measured, j["waiting_seconds"] = t.waiting, j["barrier_seconds"] = t.barrier;
}

// FLOP/s or B/s of the roof that limits an op.
double roof_of(const Profile& p, size_t node) {
  if (p.limits[node] == Limit::memory) return p.hardware.bandwidth.value;
  return p.hardware.peak(arithmetic_of(p.program, p.program.nodes[node], p.hardware, {})).figure.value;
}

Json row_json(const Profile& p, const ProfileRow& r, bool is_kind) {
  Json j{{"name", r.name}};
  if (is_kind) j["op"] = p.program.nodes[r.nodes[0]].op.name(), j["family"] = name_of(r.family);
  if (is_kind) j["kernels"] = r.set;
  j["ops"] = r.nodes.size();
  add_work(j, r.cost);
  add_times(j, p, r.time);
  j["of_roof"] = r.of_roof(), j["recoverable_seconds"] = r.recoverable();
  j["limit"] = name_of(r.limit);
  if (is_kind) j["roof"] = roof_of(p, r.nodes[0]);
  return j;
}

Json limits_json(const Profile& p) {
  auto figure = [](const SourcedValue& f) {
    Json j{{"value", f.value}};
    if (f.spread) j["spread"] = *f.spread;
    return j;
  };
  Json peaks = Json::object();
  for (const auto& [arithmetic, peak] : p.hardware.peaks) peaks[std::string(name_of(arithmetic))] = figure(peak);
  return {{"hardware", p.hardware.name},
          {"measured_in_this_run", p.limits_in_run},
          {"read_bytes_per_second", figure(p.hardware.bandwidth)},
          {"flops_per_second", peaks}};
}

Json step_json(const Profile& p) {
  Json step{{"measured_seconds", p.step}, {"ideal_seconds", p.ideal}};
  if (p.predicted) step["predicted_seconds"] = *p.predicted;
  step["of_roof"] = p.of_roof();
  add_work(step, p.cost.sum);
  step["ops"] = p.program.nodes.size();
  step["timed"] = p.steps, step["displaced"] = p.displaced, step["used"] = p.used, step["observing"] = p.observing;
  step["observing_quartiles"] = {p.observing_low, p.observing_high};
  return step;
}

}  // namespace

Json profile_json(const Profile& p) {
  Json families = Json::array(), kinds = Json::array(), ops = Json::array(), list = Json::array();
  for (const ProfileRow& r : rows_by_family(p)) families.push_back(row_json(p, r, false));
  for (const ProfileRow& r : rows_by_kind(p)) kinds.push_back(row_json(p, r, true));
  for (size_t i = 0; i < p.ops.size(); ++i) {
    const Node& n = p.program.nodes[i];
    Json op{{"layer", n.layer}, {"op", n.op.name()}, {"kernels", p.sets[i]}};
    add_work(op, p.cost.ops[i]);
    add_times(op, p, p.ops[i]);
    op["limit"] = name_of(p.limits[i]);
    ops.push_back(std::move(op));
  }
  for (const Opportunity& o : opportunities(p)) {
    Json j{{"kind", name_of(o.kind)}, {"what", o.what}, {"places", o.places}, {"why", o.why}, {"seconds", o.seconds}};
    if (o.kind == Opportunity::Kind::fusion) j["bytes"] = o.bytes, j["ops_less"] = o.ops_less;
    list.push_back(std::move(j));
  }
  return {{"format", profile_format},
          {"model", p.model},
          {"weights", weight_types(p.program)},
          {"batch", p.batch.text()},
          {"computed_batch", p.cost.batch.text()},
          {"threads", p.threads},
          {"limits", limits_json(p)},
          {"step", step_json(p)},
          {"barriers", {{"count", p.barriers}, {"measured_seconds", p.in_barriers()}}},
          {"sampling", {{"measured_seconds", p.sampling}}},
          {"unexplained", {{"measured_seconds", p.unexplained}}},
          {"families", families},
          {"kinds", kinds},
          {"opportunities", list},
          {"ops", ops}};
}

}  // namespace ridgeline
