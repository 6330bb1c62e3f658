// How far predicted step times are off on this machine: sweeps batch, context and chunk over one model in one or more weight
// types, fits what the roofline cannot know on some levels, and says how far the others are off.
//   bench_predict_engine MODEL [TYPE,...] [ROUNDS]
// Rounds go through all cells, and the limits of the machine are measured right before and after each: a cell's measured time is
// held against the prediction at the limits of its own moment, so that what the machine does otherwise happens to both.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "base/error.h"
#include "cost/roofline.h"
#include "instance/bench.h"
#include "planner/serving_samples.h"
#include "predict/nelder_mead.h"

namespace ridgeline {
namespace {

constexpr int64_t most_sequences = 16, most_cached = 2048, most_fresh = 512;
constexpr double burst_seconds = 0.02, step_seconds = 0.03;  // of a limit; of a cell in one round, one step at least

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// What the machine did at best in one moment.
struct Limits {
  double bandwidth, int8, bf16, fp32;
};

struct Cell {
  BatchShape batch;
  bool held_out = false;
  std::vector<double> seconds;  // by round
  std::vector<Limits> limits;
};

// Levels of which no cell is used to fit: a batch of 4, a context of 512, a chunk of 128.
bool held(int64_t sequences, int64_t context, int64_t chunk) {
  return sequences == 4 || context == 512 || chunk == 128;
}

std::vector<Cell> cells() {
  std::vector<Cell> all;
  for (int64_t sequences : {1, 2, 4, 8, 16})
    for (int64_t context : {64, 512, 1024, 2048})
      all.push_back({{std::vector<BatchShape::Sequence>(static_cast<size_t>(sequences), {1, context, 1})},
                     held(sequences, context, 0)});
  for (int64_t chunk : {32, 128, 512})
    for (int64_t context : {0, 512, 1024}) {
      all.push_back({{{{chunk, context, 1}}}, held(1, context, chunk)});
      BatchShape mixed{std::vector<BatchShape::Sequence>(8, {1, context, 1})};
      mixed.sequences.push_back({chunk, context, 1});
      if (context) all.push_back({mixed, held(8, context, chunk)});
    }
  return all;
}

// Sequences whose caches are there for every cell; what is in them does not change how long a step takes.
class Sequences {
 public:
  explicit Sequences(Instance& m) : m_(m), tokens_(most_fresh, 1) {
    for (int64_t i = 0; i < most_sequences; ++i) {
      auto& table = tables_.emplace_back(m.blocks());
      for (int32_t block : table.grow(most_cached + (i ? 1 : most_fresh))) m.kv()->clear(block);
    }
    for (size_t i = 0; i < tokens_.size(); ++i)
      tokens_[i] = static_cast<int32_t>((7919 * i) % static_cast<size_t>(vocabulary_of(m.config())));
  }
  void step(const BatchShape& batch) {
    std::vector<StepSequence> sequences;
    // The longest chunk goes to the sequence that has room for it.
    auto order = batch.sequences;
    std::ranges::stable_sort(order, [](auto& a, auto& b) { return a.fresh > b.fresh; });
    for (size_t i = 0; i < order.size(); ++i)
      sequences.push_back({std::span(tokens_).first(static_cast<size_t>(order[i].fresh)), order[i].cached,
                           tables_[i].blocks(), order[i].logit_rows});
    m_.executor().step(sequences);
  }

 private:
  Instance& m_;
  std::vector<int32_t> tokens_;
  std::vector<BlockTable> tables_;
};

Limits burst_limits(Instance& m) {
  auto compute = [&](ComputeKind kind) { return compute_burst(m.team(), kind, burst_seconds / 2); };
  return {read_burst(m.team(), m.weights().memory(), burst_seconds), compute(ComputeKind::int8_dot),
          compute(ComputeKind::bf16_dot), compute(ComputeKind::fma)};
}

void measure(Instance& m, std::vector<Cell>& all, int rounds) {
  Sequences sequences(m);
  for (Cell& c : all) sequences.step(c.batch);  // warm-up
  for (int round = 0; round < rounds; ++round) {
    Limits before = burst_limits(m);
    for (Cell& c : all) {
      double start = now(), seconds = 0;
      int steps = 0;
      do sequences.step(c.batch), ++steps, seconds = now() - start;
      while (seconds < step_seconds);
      Limits after = burst_limits(m);
      c.seconds.push_back(seconds / steps);
      c.limits.push_back({(before.bandwidth + after.bandwidth) / 2, (before.int8 + after.int8) / 2,
                          (before.bf16 + after.bf16) / 2, (before.fp32 + after.fp32) / 2});
      before = after;
    }
  }
}

Hardware machine_of(const Limits& l) {
  Hardware h{.name = "here", .title = "this machine", .kind = Hardware::Kind::cpu, .activations = DType::f32};
  h.bandwidth.value = l.bandwidth, h.capacity.value = 1;
  h.peaks[Arithmetic::int8].value = l.int8, h.peaks[Arithmetic::bf16].value = l.bf16,
  h.peaks[Arithmetic::fp32].value = l.fp32;
  return h;
}

// Predictions for all cells, each at the limits of its rounds' own moments.
class Predictor {
 public:
  Predictor(const Program& p, const std::vector<Cell>& all) : cells_(all) {
    for (const Cell& c : all)
      for (const Limits& l : c.limits) {
        Roofline roof(p, machine_of(l));
        steps_.push_back(roof.at(c.batch));
        if (!roof_) roof_.emplace(std::move(roof));
      }
  }
  // Predicted / measured, by round.
  std::vector<double> ratios(size_t cell, const Efficiency& e) const {
    const Cell& c = cells_[cell];
    std::vector<double> ratios;
    for (size_t r = 0; r < c.seconds.size(); ++r)
      ratios.push_back(roof_->calibrated(steps_[cell * c.seconds.size() + r], e) / c.seconds[r]);
    return ratios;
  }
  double error(size_t cell, const Efficiency& e) const { return median(ratios(cell, e)) - 1; }
  // Seconds at the median of the rounds.
  double predicted(size_t cell, const Efficiency& e) const {
    const Cell& c = cells_[cell];
    std::vector<double> times;
    for (size_t r = 0; r < c.seconds.size(); ++r)
      times.push_back(roof_->calibrated(steps_[cell * c.seconds.size() + r], e));
    return median(times);
  }

 private:
  const std::vector<Cell>& cells_;
  std::vector<StepTime> steps_;  // by cell, then round
  std::optional<Roofline> roof_;
};

Efficiency efficiency_of(const Point& p) {
  Efficiency e;
  e.memory.value = std::exp(p[0]);
  e.compute.value = std::exp(p[1]);
  e.attention = SourcedValue{std::exp(p[2])};
  e.compute_of[Arithmetic::fp32].value = std::exp(p[3]);
  e.op.value = 1e-6 * std::exp(p[4]);
  e.overlap.value = std::exp(p[5]);
  return e;
}

Efficiency fitted(const Predictor& predictor, const std::vector<Cell>& all) {
  Point best;
  auto loss = [&](const Point& p) {
    Efficiency e = efficiency_of(p);
    double sum = 0;
    for (double fraction :
         {e.memory.value, e.compute.value, e.attention->value, e.compute_of[Arithmetic::fp32].value, e.overlap.value})
      if (fraction > 1) sum += 100 * (fraction - 1);  // no kernel is faster than the machine
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i].held_out) continue;
      double x = std::log1p(predictor.error(i, e)) / 0.05;
      sum += std::sqrt(1 + x * x) - 1;
    }
    return sum;
  };
  for (double fraction : {0.2, 0.5}) {
    Point start = {std::log(0.8), std::log(0.5), std::log(fraction), std::log(fraction), 0, std::log(0.5)};
    for (int again = 0; again < 5; ++again) start = nelder_mead(loss, start, again % 2 ? -0.4 : 0.4, 400);
    if (best.empty() || loss(start) < loss(best)) best = start;
  }
  return efficiency_of(best);
}

// How far single rounds lie from the median of their cell, the limits of their moment taken out: no prediction can be better.
double noise_floor(const Predictor& predictor, const std::vector<Cell>& all, const Efficiency& e) {
  std::vector<double> off;
  for (size_t i = 0; i < all.size(); ++i) {
    auto ratios = predictor.ratios(i, e);
    double middle = median(ratios);
    for (double r : ratios) off.push_back(std::abs(r / middle - 1));
  }
  return median(off);
}

void report(const Instance& m, const std::string& type, std::vector<Cell>& all) {
  Predictor predictor(m.program(), all);
  Efficiency e = fitted(predictor, all);
  std::vector<double> train, out;
  for (size_t i = 0; i < all.size(); ++i) (all[i].held_out ? out : train).push_back(predictor.error(i, e));
  auto line = [](const char* name, const ErrorSummary& s) {
    return fmt::format("| {} | {} | {:.1f} % | {:.1f} % | {:.1f} % | {:+.1f} % |\n", name, s.count,
                       100 * s.median_absolute, 100 * s.mean_absolute, 100 * s.p90_absolute, 100 * s.bias);
  };
  fmt::print("### {}, {}\n\n", m.name(), type);
  fmt::print(
      "Fitted: memory {:.2f} of a plain read; of the instruction alone products {:.2f}, attention {:.2f}, all else "
      "{:.2f}; "
      "{:.2f} us an op; overlap {:.2f}. Noise floor: {:.1f} %.\n\n",
      e.memory.value, e.compute.value, e.attention->value, e.compute_of.at(Arithmetic::fp32).value, 1e6 * e.op.value,
      e.overlap.value, 100 * noise_floor(predictor, all, e));
  fmt::print("| cells | | median | mean | 90 % below | bias |\n|---|---|---|---|---|---|\n{}{}\n",
             line("fitted", summarize(train)), line("held out", summarize(out)));
  fmt::print("| step | | predicted, ms | measured, ms | error |\n|---|---|---|---|---|\n");
  for (size_t i = 0; i < all.size(); ++i)
    fmt::print("| {} | {} | {:.2f} | {:.2f} | {:+.1f} % |\n", all[i].batch.text(), all[i].held_out ? "held out" : "",
               1e3 * predictor.predicted(i, e), 1e3 * median(all[i].seconds), 100 * predictor.error(i, e));
  fmt::print("\n");
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (char c : text) c == ',' ? (void)parts.emplace_back() : parts.back().push_back(c);
  return parts;
}

int run(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: {} MODEL [TYPE,...] [ROUNDS]\n", argv[0]);
    return static_cast<int>(ExitCode::usage);
  }
  int rounds = argc > 3 ? std::max(1, std::atoi(argv[3])) : 7;
  for (const std::string& type : split(argc > 2 ? argv[2] : "file")) {
    InstanceOptions o{.context = most_sequences * (most_cached + block_tokens) + most_fresh};
    for (DType t : stored_types)
      if (name_of(t) == type) o.weights = t;
    auto m = Instance::open(argv[1], o);
    std::vector<Cell> all = cells();
    measure(*m, all, rounds);
    report(*m, type == "file" ? "as in the file" : type, all);
  }
  return 0;
}

}  // namespace
}  // namespace ridgeline

int main(int argc, char** argv) {
  try {
    return ridgeline::run(argc, argv);
  } catch (const ridgeline::Error& e) {
    fmt::print(stderr, "{}\n", e.what());
    return static_cast<int>(e.code());
  }
}
