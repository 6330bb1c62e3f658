#include "profiler/calibration_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text_table.h"
#include "cost/units.h"

namespace ridgeline {
namespace {

using Json = nlohmann::ordered_json;
using Align = TextTable::Align;

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

// "0.86 TFLOP/s", "1.8 TOP/s".
std::string operations_text(double rate, std::string_view unit) {
  double size = rate >= 1e12 ? 1e12 : 1e9;
  return fmt::format("{} {}{}", figures(rate / size), size == 1e12 ? "T" : "G", unit);
}
std::string value_text(const Reading& r, double value) {
  if (r.unit == "B/s") return bytes_text(value) + "/s";
  if (r.unit == "s") return time_text(value);
  if (r.unit == "1") return percent(value);
  return operations_text(value, r.unit);
}

std::string readings_table(const Calibration& c) {
  TextTable t({{"what", Align::left}, {"measured"}, {"best"}, {"spread"}, {"how", Align::left}});
  auto row = [&](std::string what, const Reading& r) {
    t.row({std::move(what), value_text(r, r.median()), value_text(r, r.best()), percent(r.spread()), r.method});
  };
  for (const auto& [arithmetic, reading] : c.peaks) row(std::string(name_of(arithmetic)), reading);
  row("memory", c.memory);
  for (const auto& cache : c.caches) row(cache.name, cache);
  row("barrier", c.barrier), row("an op's overhead", c.op), row("a step's overhead", c.region);
  for (const auto& k : c.kernels)
    t.row({k.share.name, percent(k.share.median()), percent(k.share.best()), percent(k.share.spread()),
           fmt::format("{}, {}", value_text(k.rate, k.rate.median()), k.share.method)});
  return t.text();
}

std::string sizes_text(const Hardware& h) {
  std::string text = bytes_text(h.capacity.value) + " of memory";
  for (const auto& cache : h.caches)
    text += fmt::format(", {} MiB of {}", figures(cache.bytes.value / 1048576), cache.name);
  return text;
}

std::string streams_table(const Calibration& c) {
  std::vector<TextTable::Column> columns{{"GB/s of memory", Align::left}};
  for (const auto& s : c.streams)
    if (s.threads == c.streams.front().threads)
      columns.push_back({fmt::format("{} {}", s.streams, s.streams == 1 ? "stream" : "streams")});
  TextTable t(columns);
  std::vector<std::string> cells;
  for (const auto& s : c.streams) {
    if (cells.empty()) cells.push_back(fmt::format("{} {}", s.threads, s.threads == 1 ? "thread" : "threads"));
    cells.push_back(fmt::format("{:.1f} ± {:.0f} %", s.read.median() / 1e9, 50 * s.read.spread()));
    if (cells.size() == columns.size()) t.row(std::move(cells)), cells.clear();
  }
  return t.text();
}

std::string quietness_text(const Calibration& c) {
  const Surroundings& s = c.surroundings;
  if (c.contended.empty())
    return fmt::format(
        "The machine was quiet: its threads had a processor {:.1f} % of the time, and equal computations "
        "differed by {:.1f} %, equal reads by {:.0f} %.\n",
        100 * s.scheduled, 100 * s.compute_swing, 100 * s.read_swing);
  return fmt::format(
      "The machine was contended: {}.\nThe figures are what was left of it, not what it has: the best bursts "
      "come nearer to that. Before you trust a prediction\nmade from them, measure again when nothing else "
      "runs.\n",
      fmt::join(c.contended, "; "));
}

std::string efficiency_text(const Calibration& c) {
  const Efficiency& e = *c.hardware.efficiency;
  if (c.kernels.empty())
    return "No kernel set runs here, so no kernel was measured: predictions take the limits for reached.\n";
  return fmt::format(
      "Predictions take it that kernels reach {} of memory's rate and {} of the peaks, the middle of those above, and "
      "that\n"
      "an op costs {} beside its work.\n",
      percent(e.memory.value), percent(e.compute.value), time_text(e.op.value));
}

Json json_of(const Reading& r) {
  return {{"unit", r.unit},     {"median", r.median()}, {"best", r.best()},    {"spread", r.spread()},
          {"swing", r.swing()}, {"method", r.method},   {"samples", r.samples}};
}

}  // namespace

std::string calibration_text(const Calibration& c) {
  const Hardware& h = c.hardware;
  auto peak = [&](Arithmetic a) { return value_text(c.peaks.at(a), h.peaks.at(a).value); };
  std::string out = fmt::format("{}: reads {}/s of memory, computes {} in int8, {} in bf16, {} in fp32\n", h.title,
                                bytes_text(h.bandwidth.value), peak(Arithmetic::int8), peak(Arithmetic::bf16),
                                peak(Arithmetic::fp32));
  out += quietness_text(c) + "\n" + readings_table(c);
  out += fmt::format("\n{}\n{}{}", streams_table(c), efficiency_text(c),
                     fmt::format("Sizes: {}. Measured in {}.\n", sizes_text(h), time_text(c.seconds)));
  out += "measured: the median of bursts that took turns; spread: (greatest - least) / median, ±: half of it.\n";
  return out + "A linear: the share of its limit that the engine's kernel reaches.\n";
}

Json calibration_json(const Calibration& c) {
  const Surroundings& s = c.surroundings;
  Json j{{"hardware", hardware_json(c.hardware)},
         {"seconds", c.seconds},
         {"contended", !c.contended.empty()},
         {"contended_because", c.contended},
         {"surroundings",
          {{"scheduled_share", s.scheduled},
           {"processors", s.processors},
           {"foreign_processors", s.foreign},
           {"stolen_processors", s.stolen},
           {"compute_swing", s.compute_swing},
           {"read_swing", s.read_swing}}}};
  Json& readings = j["readings"];
  for (const auto& [arithmetic, reading] : c.peaks) readings[std::string(name_of(arithmetic))] = json_of(reading);
  readings["memory"] = json_of(c.memory);
  for (const auto& cache : c.caches) readings[cache.name] = json_of(cache);
  readings["barrier"] = json_of(c.barrier), readings["op"] = json_of(c.op), readings["step"] = json_of(c.region);
  j["streams"] = Json::array();
  for (const auto& r : c.streams) {
    Json row{{"threads", r.threads}, {"streams", r.streams}};
    row.update(json_of(r.read));
    j["streams"].push_back(std::move(row));
  }
  j["kernels"] = Json::array();
  for (const auto& k : c.kernels) {
    Json row{{"name", k.share.name},
             {"of", k.of_memory ? "memory" : "peak"},
             {"rate", k.rate.median()},
             {"rate_unit", k.rate.unit}};
    row.update(json_of(k.share));
    j["kernels"].push_back(std::move(row));
  }
  return j;
}

}  // namespace ridgeline
