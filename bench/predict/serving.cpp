// Fits what is known of engines on a machine to measured serving, and says how far its predictions are off on rows that nothing
// was fitted on:
//   bench_predict_serving tests/data/planner/serving_h100.csv h100-sxm [seconds an engine]
// Five constants an engine: the fractions of memory and link that its kernels reach, the time of a layer and of a collective,
// and the fraction of others' prompts that decoding requests wait for. Prints the "engines" of the hardware file.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <ranges>
#include <set>

#include "base/error.h"
#include "planner/serving_samples.h"
#include "predict/nelder_mead.h"

namespace ridgeline {
namespace {

// A sample with the steps that predicting it asked for, so that another efficiency costs no step anew.
class Cell {
 public:
  Cell(const ServingSample& sample, const Hardware& h, std::map<std::string, std::shared_ptr<Deployment>>& deployments)
      : sample_(sample) {
    auto& shared = deployments[fmt::format("{} {} {}", sample.model, sample.fp8, sample.tensor)];
    if (!shared) shared = std::make_shared<Deployment>(situation_of(sample, h));
    deployment_ = shared;
  }
  const ServingSample& sample() const { return sample_; }
  double error(const Efficiency& e) {
    auto step = [&](int64_t decoding, bool prompt) {
      auto& t = steps_[{decoding, prompt}];
      if (!t) t = std::make_unique<StepTime>(deployment_->step(serving_batch(sample_.load, decoding, prompt)));
      return deployment_->rank().calibrated(*t, e);
    };
    return serving_point(sample_.load, step, e.interference.value).tpot / sample_.tpot - 1;
  }

 private:
  ServingSample sample_;
  std::shared_ptr<Deployment> deployment_;
  std::map<std::pair<int64_t, bool>, std::unique_ptr<StepTime>> steps_;
};

// Times per token hardly tell how fast a prompt is computed from how much of it others wait for: only the product shows. This
// is what the times to the first token of the runs with the fewest requests come to.
constexpr double compute_fraction = 0.55;

// The constants as logarithms of sensible units, so that each stays positive.
Efficiency efficiency_of(const Point& p) {
  Efficiency e;
  e.compute.value = compute_fraction, e.memory.value = std::exp(p[0]), e.link.value = std::exp(p[1]);
  e.layer.value = 1e-5 * std::exp(p[2]), e.link_latency.value = 1e-5 * std::exp(p[3]),
  e.interference.value = std::exp(p[4]);
  return e;
}

Efficiency fitted(std::vector<Cell>& cells, double seconds) {
  auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  auto loss = [&](const Point& p) {
    if (std::chrono::steady_clock::now() > end) return 1e9;
    Efficiency e = efficiency_of(p);
    double sum = 0;
    for (double fraction : {e.memory.value, e.link.value, e.interference.value})
      if (fraction > 1) sum += 100 * (fraction - 1);  // no kernel is faster than the machine
    for (Cell& c : cells) {
      if (is_held_out(c.sample())) continue;
      double x = std::log1p(c.error(e)) / 0.05;  // a pseudo-Huber loss: some runs are outliers
      sum += std::sqrt(1 + x * x) - 1;
    }
    return sum;
  };
  Point best = {std::log(0.85), std::log(0.4), 0, 0, std::log(0.6)};
  for (int again = 0; again < 4; ++again) best = nelder_mead(loss, best, 0.3, 400);
  return efficiency_of(best);
}

std::string row(std::string_view name, const ErrorSummary& s) {
  return fmt::format("| {} | {} | {:.1f} % | {:.1f} % | {:.1f} % | {:+.1f} % |\n", name, s.count, 100 * s.mean_absolute,
                     100 * s.median_absolute, 100 * s.p90_absolute, 100 * s.bias);
}

// The held-out runs that are predicted worst.
std::string worst_of(std::vector<Cell>& cells, const Efficiency& e) {
  std::vector<std::pair<double, const ServingSample*>> held;
  for (Cell& c : cells)
    if (is_held_out(c.sample())) held.emplace_back(c.error(e), &c.sample());
  std::ranges::sort(held, [](auto& a, auto& b) { return std::abs(a.first) > std::abs(b.first); });
  std::string out;
  for (auto& [error, s] : held | std::views::take(8))
    out += fmt::format("{}: {}{} on {}, {} requests of {} + {}: {:.2f} ms a token, predicted {:+.0f} %\n", s->engine,
                       s->model, s->fp8 ? " in fp8" : "", s->tensor, s->load.concurrency, s->load.prompt,
                       s->load.answer, 1e3 * s->tpot, 100 * error);
  return out;
}

void sourced(Efficiency& e, const std::string& source) {
  for (SourcedValue* f : {&e.compute, &e.memory, &e.link, &e.layer, &e.link_latency, &e.interference}) {
    f->source = source;
    if (f->value < 1e-9) f->value = 0;  // of no use to the fit
    f->value = std::stod(fmt::format("{:.3g}", f->value));
  }
}

int run(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: {} SAMPLES.csv HARDWARE [SECONDS]\n", argv[0]);
    return static_cast<int>(ExitCode::usage);
  }
  std::ifstream in(argv[1], std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  if (!in) fail(ExitCode::cannot_open, "samples", "{} cannot be read", argv[1]);
  Hardware h = hardware_named(argv[2]);
  double seconds = argc > 3 ? std::stod(argv[3]) : 120;
  std::map<std::string, std::shared_ptr<Deployment>> deployments;
  std::map<std::string, std::vector<Cell>> engines;
  for (const ServingSample& s : parse_serving_samples(text)) engines[s.engine].emplace_back(s, h, deployments);
  std::string table = "| engine, rows | rows | mean | median | 90 % below | bias |\n|---|---|---|---|---|---|\n";
  std::vector<double> all_held;
  std::string worst;
  h.engines.clear();
  for (auto& [name, cells] : engines) {
    Efficiency e = fitted(cells, seconds);
    sourced(e, fmt::format("fitted to published runs of {} (docs/prediction.md)", name));
    std::vector<double> train, held;
    for (Cell& c : cells) (is_held_out(c.sample()) ? held : train).push_back(c.error(e));
    all_held.insert(all_held.end(), held.begin(), held.end());
    table += row(name + ", fitted", summarize(train)) + row(name + ", held out", summarize(held));
    worst += worst_of(cells, e);
    h.engines[name] = e;
  }
  table += row("all, held out", summarize(all_held));
  fmt::print("{}\n{}\n{}", hardware_json(h)["engines"].dump(2), table, worst);
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
