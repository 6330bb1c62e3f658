#include <algorithm>
#include <cmath>

#include "base/printable.h"
#include "base/text_table.h"
#include "chart/bar_chart.h"
#include "chart/line_chart.h"
#include "chart/roofline_chart.h"
#include "cost/explain.h"
#include "cost/units.h"
#include "planner/plan_words.h"
#include "planner/report.h"
#include "planner/step_kinds.h"

namespace ridgeline {
namespace {

double time_of(const OpTime& op, Times which) { return which == Times::ideal ? op.ideal : op.calibrated; }
double time_of(const StepTime& t, Times which) { return which == Times::ideal ? t.ideal : t.calibrated; }
// "989 TFLOP/s"
std::string flop_rate(double per_second) {
  std::string text = bytes_text(per_second);
  return text.substr(0, text.size() - 1) + "FLOP/s";
}
std::string heading(const Plan& p, std::string_view what) {
  return fmt::format("{} of {} on {}", what, p.request.situation.model, p.request.situation.hardware.title);
}
std::string_view times_note(const Plan& p) {
  return p.times == Times::ideal ? "Times are the machine's limits."
                                 : "Times are expected ones, of measured efficiency.";
}

// The steps that pictures compare: decode at the least of the batches and at the greatest that is no more than 64, and prefill.
struct NamedStep {
  std::string name;
  StepTime time;
};
std::vector<NamedStep> steps_of(const Plan& p) {
  const Deployment& d = *p.deployment;
  std::vector<NamedStep> steps;
  bool shown = false;
  std::vector<int64_t> counts = {std::ranges::min(p.request.batches), 0};
  for (int64_t n : p.request.batches)
    if (n <= 64 && n > counts[0]) counts[1] = std::max(counts[1], n);
  for (int64_t n : counts) {
    if (n == 0) continue;
    BatchShape batch = Deployment::alike(n, 1, p.request.context);
    shown |= batch.text() == p.request.step.text();
    steps.push_back({"decode, " + plural(n, "sequence"), d.step(batch)});
  }
  steps.push_back({fmt::format("prefill of {} tokens", grouped(p.request.prompt)), p.prefill_step});
  if (!shown) steps.push_back({"step " + p.request.step.text(), p.step});
  return steps;
}

std::string roofline(const Plan& p, Paper paper) {
  const Hardware& h = p.request.situation.hardware;
  RooflineChart chart{.bandwidths = {{"memory " + bytes_text(h.bandwidth.value) + "/s", h.bandwidth.value}}};
  std::vector<Arithmetic> used;
  chart.caption = {
      heading(p, "Roofline"),
      fmt::format("Each point is an op of all layers together, its area the share of the step's time, where that is in "
                  "percent behind its name. {} tokens cached. {}",
                  grouped(p.request.context), times_note(p)),
      "Performance over arithmetic intensity, both logarithmic."};
  for (const NamedStep& step : steps_of(p)) {
    double whole = time_of(step.time, p.times), unseen = 0;
    for (const StepKind& k : step_kinds(p.deployment->program(), step.time)) {
      auto count = static_cast<double>(k.count);
      double seconds = time_of(k.one, p.times);
      if (k.one.cost.flops() == 0 || seconds <= 0) {
        unseen += seconds * count / whole;
        continue;
      }
      bool products = k.one.cost.matmul + k.one.cost.attention > 0;
      if (products || h.peaks.contains(Arithmetic::fp32)) used.push_back(h.peak(k.one.arithmetic).arithmetic);
      double rate = static_cast<double>(k.one.cost.flops()) / seconds, share = seconds * count / whole;
      chart.points.push_back(
          {k.label, k.one.cost.intensity(), rate, share, chart.groups.size(),
           fmt::format("{} x{}: {:.1f} % of the step, {} FLOP/B, {}, {}", k.label, k.count, 100 * share,
                       figures(k.one.cost.intensity()), flop_rate(rate), time_text(seconds * count))});
    }
    chart.groups.push_back(fmt::format("{}: {}", step.name, time_text(whole)));
    chart.caption.description += fmt::format(
        " {}: {}, limited by {}, {} FLOP a byte; {:.1f} % of it in ops without arithmetic, which are not drawn.",
        step.name, time_text(whole), name_of(step.time.limit()), figures(step.time.sum.intensity()), 100 * unseen);
  }
  for (int a = arithmetic_count - 1; a >= 0; --a) {
    auto arithmetic = static_cast<Arithmetic>(a);
    if (std::ranges::find(used, arithmetic) == used.end()) continue;
    double value = h.peak(arithmetic).figure.value;
    chart.peaks.push_back({fmt::format("{} {}", name_of(arithmetic), flop_rate(value)), value});
  }
  return roofline_svg(chart, paper);
}

std::string flops(const Plan& p, Paper paper) {
  BarChart chart{.caption = {heading(p, "Where FLOPs and time go: components"),
                             fmt::format("Shares of a step, its FLOPs above its time. {}", times_note(p)),
                             "Level bars of shares, two for each step."},
                 .axis = "share of the step, %",
                 .most = 100};
  for (size_t c = 0; c < component_count; ++c)
    chart.series.push_back({std::string(name_of(static_cast<Component>(c))), c});
  bool more = false;
  for (const NamedStep& step : steps_of(p)) {
    const Program& program = p.deployment->program();
    std::vector<double> work(component_count), time(component_count);
    auto by_component = flops_by_component(program, step.time);
    auto all = static_cast<double>(step.time.sum.flops());
    for (size_t c = 0; c < component_count; ++c) work[c] = 100 * static_cast<double>(by_component[c]) / all;
    auto parts = components(program);
    double whole = time_of(step.time, p.times), sum = 0;
    for (size_t i = 0; i < parts.size(); ++i) {
      double share = 100 * time_of(step.time.ops[i], p.times) / whole;
      time[static_cast<size_t>(parts[i])] += share, sum += share;
    }
    if (sum < 99.95) work.push_back(0), time.push_back(100 - sum), more = true;
    auto texts = [](const std::vector<double>& shares) {
      std::vector<std::string> out;
      for (double share : shares) out.push_back(fmt::format("{:.{}f} %", share, share < 9.95 ? 1 : 0));
      return out;
    };
    chart.bars.push_back({step.name + ": FLOPs", work, texts(work), quantity(all) + "FLOP", true});
    chart.bars.push_back({"its time", time, texts(time), time_text(whole)});
    chart.caption.description += fmt::format(" {}: {} in {};", step.name, quantity(all) + "FLOP", time_text(whole));
    for (size_t c = 0; c < component_count; ++c)
      chart.caption.description += fmt::format(" {} {:.1f} % of FLOPs and {:.1f} % of time{}", chart.series[c].name,
                                               work[c], time[c], c + 1 < component_count ? "," : ".");
  }
  if (more) chart.series.push_back({"launches and links", 5});
  return bars_svg(chart, paper);
}

std::string memory(const Plan& p, Paper paper) {
  const DeviceMemory& m = p.deployment->memory();
  auto giga = [](int64_t bytes) { return static_cast<double>(bytes) / 1e9; };
  BarChart chart{
      .caption = {heading(p, "Memory of a device"),
                  fmt::format("Sequences of {} tokens decoding together; activations are of a step of {}.",
                              grouped(p.request.context + 1),
                              plural(std::min(Deployment::step_tokens, p.deployment->context()), "token")),
                  "Level bars of bytes over the batch."},
      .series = {{"weights", 0}, {"KV cache", 1}, {"activations", 3}, {"free", 5}},
      .axis = "GB",
      .marks = {{giga(m.budget), fmt::format("{:.0f} % for weights and KV", 100 * p.request.situation.memory_use)},
                {giga(m.capacity), fmt::format("capacity {}", bytes_text(static_cast<double>(m.capacity)))}}};
  if (m.budget == m.capacity) chart.marks.erase(chart.marks.begin());
  double most = giga(m.capacity) * 1.05;
  for (int64_t n : p.request.batches) {
    double kv = giga(m.kv_per_token) * static_cast<double>(p.request.context + 1) * static_cast<double>(n);
    double used = giga(m.weights) + kv + giga(m.activations), over = giga(m.weights) + kv - giga(m.budget);
    bool fits = m.fits() && kv <= giga(m.free);
    chart.bars.push_back({fmt::format("{}", plural(n, "sequence")),
                          {giga(m.weights), kv, giga(m.activations), std::max(0.0, giga(m.capacity) - used)},
                          {bytes_text(giga(m.weights) * 1e9), bytes_text(kv * 1e9), "", ""},
                          fits ? bytes_text(used * 1e9) : fmt::format("{}: does not fit", bytes_text(used * 1e9))});
    chart.caption.description +=
        fmt::format(" {}: {}{}.", plural(n, "sequence"), bytes_text(used * 1e9),
                    fits ? "" : fmt::format(", {} too many", bytes_text(std::max(0.0, over) * 1e9)));
    most = std::max(most, used);
  }
  chart.most = std::min(most * 1.01, 1.5 * giga(m.capacity));
  return bars_svg(chart, paper);
}

std::string kv(const Plan& p, Paper paper) {
  const DeviceMemory& m = p.deployment->memory();
  auto context = static_cast<double>(p.deployment->context()), free = static_cast<double>(std::max<int64_t>(0, m.free));
  auto a_token = static_cast<double>(m.kv_per_token);
  LineChart chart{.caption = {heading(p, "KV cache over context"),
                              fmt::format("{} a token and sequence, up to the model's context of {} tokens.",
                                          bytes_text(a_token), grouped(p.deployment->context())),
                              "Bytes of keys and values over the tokens of each sequence."},
                  .axis = "tokens in each sequence",
                  .kind = Axis::Kind::linear,
                  .low = 0,
                  .high = context};
  double full = a_token * context, most = 256 * full * 1.1;  // of the greatest batch shown
  double high = std::max(1.0, free > 0 ? std::min(1.25 * free, most) : 4 * full);
  LineChart::Panel panel{.title = "KV cache", .unit = "B", .kind = Axis::Kind::linear, .low = 0, .high = high};
  if (free > 0) panel.levels.push_back({free, fmt::format("left by the weights: {}", bytes_text(free))});
  if (free <= 0)
    chart.caption.note += " The weights alone leave nothing for it.";
  else if (most < free)
    chart.caption.note += fmt::format(" The weights leave {}, more than all of these need.", bytes_text(free));
  size_t colour = 0;
  for (int64_t n : {1, 4, 16, 64, 256}) {
    double sequences = static_cast<double>(n), end = sequences * full;
    std::string name = plural(n, "sequence");
    panel.series.push_back({name, {{0, 0}, {context, end}}, colour});
    if (a_token > 0 && free > 0) {
      double crossing = free / (a_token * sequences);
      if (crossing < context) {
        panel.notes.push_back(
            {{crossing, free}, fmt::format("{}: {} tokens", n, grouped(static_cast<int64_t>(crossing))), colour});
        chart.caption.description +=
            fmt::format(" {} fill the memory at {} tokens each.", name, grouped(static_cast<int64_t>(crossing)));
      } else {
        panel.notes.push_back({{context, end}, fmt::format("{}: {}", n, bytes_text(end)), colour});
        chart.caption.description += fmt::format(" {} at full context: {}.", name, bytes_text(end));
      }
    }
    ++colour;
  }
  chart.panels.push_back(std::move(panel));
  return lines_svg(chart, paper);
}

// A step's bytes over the bandwidth, and its FLOPs over the peaks, as if each were all there is.
struct Roofs {
  double memory = 0, compute = 0;
};
Roofs roofs_of(const StepTime& t) {
  Roofs r;
  for (const OpTime& op : t.ops) r.memory += op.memory, r.compute += op.compute;
  return r;
}

std::string throughput(const Plan& p, Paper paper) {
  const Deployment& d = *p.deployment;
  int64_t context = p.request.context;
  auto step = [&](int64_t n) { return d.step(Deployment::alike(n, 1, context)); };
  // Both are straight lines over the batch.
  Roofs one = roofs_of(step(1)), two = roofs_of(step(2));
  double gain = (two.compute - one.compute) - (two.memory - one.memory);
  double crossing = gain > 0 ? 1 + (one.memory - one.compute) / gain : INFINITY;
  const DeviceMemory& m = d.memory();
  double fitting = m.kv_per_token ? std::floor(static_cast<double>(m.kv_tokens() / (context + 1))) : INFINITY;
  int64_t high = 512;
  for (double x : {fitting, crossing})
    while (std::isfinite(x) && high < 4096 && static_cast<double>(high) < 1.5 * x) high *= 2;

  LineChart chart{.axis = "sequences together", .base = 2, .low = 1, .high = static_cast<double>(high)};
  LineChart::Series time{"a step", {}, 0, true}, memory_line{"its bytes over the bandwidth", {}, 1},
      compute_line{"its FLOP over the peak", {}, 2}, rate{"tokens a second", {}, 3, true};
  for (int64_t n = 1; n <= high; n *= 2) {
    auto x = static_cast<double>(n);
    Roofs r = roofs_of(step(n));
    double seconds = times_of(d, Deployment::alike(n, 1, context)).of(p.times);
    time.points.push_back({x, seconds}), rate.points.push_back({x, x / seconds});
    memory_line.points.push_back({x, r.memory}), compute_line.points.push_back({x, r.compute});
  }
  chart.caption = {heading(p, "Decode over batch"),
                   fmt::format("{} tokens cached in each sequence. {}", grouped(context), times_note(p)),
                   "Time of a step and tokens a second over the sequences that decode together, both logarithmic."};
  if (fitting < static_cast<double>(high)) {
    chart.marks.push_back({std::max(fitting, 1.0), fmt::format("memory: {} fit", grouped(std::llround(fitting)))});
    chart.beyond = std::max(fitting, 1.0);
  }
  if (std::isfinite(fitting))
    chart.caption.description += fmt::format(" {} fit in memory.", plural(std::llround(fitting), "sequence"));
  std::string crosses = crossing <= 1 ? "Compute limits it from the first sequence on."
                        : crossing < INFINITY
                            ? fmt::format("The compute line crosses the memory line at {} sequences.",
                                          grouped(std::llround(std::ceil(crossing))))
                            : fmt::format(
                                  "The compute line never crosses the memory line: {} of KV a sequence keep it "
                                  "below at every batch.",
                                  bytes_text(static_cast<double>(m.kv_per_token) * static_cast<double>(context)));
  chart.caption.note += " " + crosses, chart.caption.description += " " + crosses;
  if (crossing > 1 && crossing < static_cast<double>(high))
    chart.marks.push_back({crossing, fmt::format("compute crosses at {}", grouped(std::llround(std::ceil(crossing))))});
  std::ranges::sort(chart.marks, {}, &LineChart::Mark::at);

  auto panel = [](std::string title, std::string unit, std::vector<LineChart::Series> series) {
    double low = INFINITY, top = 0;
    for (const auto& s : series)
      for (Point x : s.points) low = std::min(low, x.y), top = std::max(top, x.y);
    return LineChart::Panel{.title = std::move(title),
                            .unit = std::move(unit),
                            .low = low / 1.3,
                            .high = top * 1.3,
                            .series = std::move(series)};
  };
  for (auto* s : {&time, &memory_line, &compute_line})
    for (Point& x : s->points) x.y *= 1e3;
  // A compute line far below the step would flatten what is asked about.
  double floor = time.points.front().y / 30;
  chart.panels.push_back(panel("time of a step, ms", "", {time, memory_line, compute_line}));
  chart.panels[0].low = std::max(chart.panels[0].low, floor);
  chart.panels.push_back(panel("tokens a second, of all together", "", {rate}));
  return lines_svg(chart, paper);
}

}  // namespace

std::span<const PlanPicture> plan_pictures() {
  static constexpr PlanPicture pictures[] = {
      {"roofline", "Roofline",
       "The slope is what the memory's bandwidth allows, each level what an arithmetic allows. An op on its roof can "
       "only "
       "become faster by moving fewer bytes, left of the ridge, or by computing less, right of it.",
       roofline},
      {"flops", "FLOPs by component",
       "What is computed is seldom what takes the time: in decode the bytes of weights and KV do.", flops},
      {"memory", "Memory over batch", "Weights are there once; keys and values come with every sequence.", memory},
      {"kv", "KV cache over context", "Where a line meets the dashed one, that many sequences can grow no further.",
       kv},
      {"throughput", "Latency and throughput over batch",
       "A step takes at least the longer of its bytes and its FLOP; what is right of the memory's line does not fit.",
       throughput}};
  return pictures;
}

const PlanPicture& picture_named(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& picture : plan_pictures()) {
    if (picture.name == name) return picture;
    names.push_back(picture.name);
  }
  fail(ExitCode::usage, "unknown_picture", "there is no picture {}; there are: {}", printable(name),
       fmt::join(names, ", "));
}

}  // namespace ridgeline
