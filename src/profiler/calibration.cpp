#include "profiler/calibration.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <numeric>

#include "base/large_memory.h"
#include "cost/units.h"
#include "instance/bench.h"
#include "instance/memory_fit.h"
#include "ops/elementwise.h"
#include "profiler/calibration_bursts.h"
#include "profiler/calibration_file.h"
#include "profiler/calibration_linear.h"

namespace ridgeline {
namespace {

double process_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

std::string threads_text(int n) { return fmt::format("{} {}", n, n == 1 ? "thread" : "threads"); }

std::string unit_of(ComputeKind kind) { return kind == ComputeKind::int8_dot ? "OP/s" : "FLOP/s"; }

// To five digits, which is more than any measurement here has.
double rounded(double x) { return std::stod(fmt::format("{:.5g}", x)); }

// The sizes that teams of up to n threads are measured with: 1, 2, 4, ..., n.
std::vector<int> team_sizes(int n) {
  std::vector<int> sizes;
  for (int i = 1; i < n; i *= 2) sizes.push_back(i);
  sizes.push_back(n);
  return sizes;
}

// Bytes of memory that no cache holds: four times the last one, and what its neighbours on a shared processor may lend.
size_t pool_bytes(const Machine& m) {
  constexpr int64_t least = 256 << 20, step = 2 << 20;
  int64_t wanted = least;
  for (const auto& c : m.caches) wanted = std::max(wanted, 4 * c.all());
  return static_cast<size_t>(std::max(std::min(wanted, memory_limit().bytes / 4) / step, int64_t{8}) * step);
}

// The bytes that threads together read to stay in a cache and out of the one below; 0: there is no such size.
int64_t set_within(const CacheSize& cache, int64_t below, int threads) {
  int64_t set = cache.bytes * std::min(cache.instances, threads) / 2;
  return set >= 2 * below ? set : 0;
}

class Measurements {
 public:
  explicit Measurements(const CalibrationOptions& o)
      : options_(o), machine_(this_machine()), begin_(seconds_now()), time_(processor_time()), own_(process_seconds()) {
    result_.threads = o.threads ? o.threads : machine_.processors;
    for (int n : team_sizes(result_.threads)) teams_.emplace_back(std::make_unique<Team>(n));
    pool_ = LargeMemory(pool_bytes(machine_));
    fill_moderate({pool_.data(), pool_.size()}, all());
  }

  Calibration run() {
    plan_peaks(), plan_reads(), plan_team(), plan_kernels();
    measure();
    conclude();
    return std::move(result_);
  }

 private:
  // A thing to measure: burst(seconds) returns a sample, or takes care of it itself and returns 0.
  struct Task {
    Reading* reading;
    bool all_busy;  // every thread of the whole team computes or reads all the time
    double parts;   // bursts it makes
    std::function<double(double)> burst;
  };

  Team& all() { return *teams_.back(); }
  std::span<std::byte> pool() const { return {pool_.data(), pool_.size()}; }

  void plan_peaks() {
    constexpr std::pair<Arithmetic, ComputeKind> kinds[] = {{Arithmetic::fp32, ComputeKind::fma},
                                                            {Arithmetic::bf16, ComputeKind::bf16_dot},
                                                            {Arithmetic::int8, ComputeKind::int8_dot}};
    for (auto [arithmetic, kind] : kinds) {
      Reading& r = result_.peaks[arithmetic] = {
          std::string(name_of(arithmetic)),
          unit_of(kind),
          fmt::format("{} on registers, {}", compute_instruction(kind), threads_text(result_.threads)),
          {}};
      tasks_.push_back({&r, true, 1, [this, kind](double s) { return compute_burst(all(), kind, s); }});
    }
  }

  void plan_reads() {
    result_.streams.reserve(teams_.size() * std::size(stream_counts));
    for (auto& team : teams_)
      for (int streams : stream_counts) {
        std::string method =
            fmt::format("plain reads of {}, {}, {} {} each", bytes_text(static_cast<double>(pool_.size())),
                        threads_text(team->size()), streams, streams == 1 ? "stream" : "streams");
        Reading& r = result_.streams.emplace_back(team->size(), streams, Reading{"memory", "B/s", method, {}}).read;
        tasks_.push_back({&r, team == teams_.back(), 1,
                          [this, &t = *team, streams](double s) { return read_burst(t, pool(), s, streams); }});
      }
    int64_t below = 0;
    result_.caches.reserve(machine_.caches.size());
    for (const auto& cache : machine_.caches) {
      int64_t set = set_within(cache, below, result_.threads);
      below = cache.bytes * std::min(cache.instances, result_.threads);
      if (!set) continue;
      std::string method = fmt::format("plain reads of {}, {}, 8 streams each", bytes_text(static_cast<double>(set)),
                                       threads_text(result_.threads));
      Reading& r = result_.caches.emplace_back(Reading{cache.name, "B/s", method, {}});
      tasks_.push_back({&r, true, 1, [this, bytes = static_cast<size_t>(set)](double s) {
                          return read_burst(all(), pool().first(std::min(bytes, pool_.size())), s);
                        }});
      auto all_bytes = static_cast<double>(cache.all());
      result_.hardware.caches.push_back(
          {cache.name,
           {.value = all_bytes, .source = cache.source + (cache.instances > 1 ? ", of all together" : "")},
           {}});
    }
  }

  void plan_team() {
    constexpr long looks = 16;  // barriers from one look at the clock, of 25 ns, to the next
    std::string who = threads_text(result_.threads);
    result_.barrier = {"barrier", "s", fmt::format("one barrier after another, {}", who), {}};
    tasks_.push_back(
        {&result_.barrier, false, 1, [this](double s) { return seconds_each(all(), s, looks, [](Worker&, long) {}); }});

    // The least that an op can be: a kernel called as the executor calls it, over one short row, and the barrier after it.
    const Cell* cell = nullptr;
    for (const KernelSet* set : usable_kernel_sets())
      if (!cell) cell = set->find(Add::name, {DType::f32, DType::f32});
    result_.op = {"op", "s", fmt::format("an add of 16 elements and the barrier after it, {}", who), {}};
    tasks_.push_back({&result_.op, false, 1, [this, cell](double s) {
                        const Op op = Add{Value{0}, Value{1}};
                        const Values results{Value{2}};
                        alignas(64) std::byte numbers[3][64] = {};
                        std::vector<Tensor> operands;
                        for (auto& n : numbers) operands.push_back({DType::f32, Layout::rows, 1, 16, n});
                        return seconds_each(all(), s, looks, [&](Worker& w, long) {
                          KernelMemory memory(operands, results);
                          if (cell)
                            cell->run(op, memory, w);
                          else if (w.index() == 0)
                            op.evaluate(memory);
                        });
                      }});

    result_.region = {"step", "s", fmt::format("a region without ops, {}", who), {}};
    tasks_.push_back({&result_.region, false, 1, [this](double s) {
                        double start = seconds_now();
                        long n = 0;
                        do all().run([](Worker&) {}), ++n;
                        while (seconds_now() - start < s);
                        return (seconds_now() - start) / static_cast<double>(n);
                      }});
  }

  void plan_kernels() {
    for (int64_t rows : {int64_t{1}, RepeatedLinear::prompt_rows})
      for (DType type : {DType::q8_0, DType::q4_K, DType::bf16})
        if (auto made = RepeatedLinear::make(type, rows, pool(), all())) linears_.push_back(std::move(*made));
    result_.kernels.reserve(linears_.size());
    for (auto& linear : linears_) {
      bool memory = linear.rows() == 1;
      ComputeKind kind = compute_kind_of(linear.weights());
      std::string_view limit = memory ? "plain reads" : compute_instruction(kind);
      KernelReading& k = result_.kernels.emplace_back(KernelReading{
          {linear.name(), "1", fmt::format("of {} right after it; 2048 x 2048, {}", limit, linear.kernels()), {}},
          {linear.name(), memory ? "B/s" : unit_of(kind), "", {}},
          memory});
      tasks_.push_back({&k.share, false, 2, [this, &linear, &k, kind](double s) {
                          double rate = (k.of_memory ? linear.bytes() : linear.flops()) / linear.seconds_each(s);
                          k.rate.samples.push_back(rate);
                          return rate / (k.of_memory ? read_burst(all(), pool(), s) : compute_burst(all(), kind, s));
                        }});
    }
  }

  void measure() {
    constexpr double usual = 0.04, shortest = 0.0005;  // seconds of a burst: some time slices of the system
    double parts = 0, bursts_done = 0;
    for (const auto& t : tasks_) parts += t.parts;
    double rounds = std::clamp(std::round(options_.seconds / (parts * usual)), 3.0, 101.0);
    double seconds = std::max(shortest, options_.seconds / (parts * rounds));
    for (auto& t : tasks_) t.burst(std::min(seconds, usual) / 4);  // what is touched for the first time
    for (auto& k : result_.kernels) k.rate.samples.clear();
    // Where others have the processors, a barrier waits for time slices, and bursts last longer than they should.
    double start = seconds_now(), latest = start + std::max(5.0, 1.5 * options_.seconds);
    for (int round = 0; round < static_cast<int>(rounds); ++round)
      for (auto& t : tasks_) {
        if (round && seconds_now() > latest) return;
        double wall = seconds_now(), processor = process_seconds();
        t.reading->samples.push_back(t.burst(seconds));
        wall = seconds_now() - wall, processor = process_seconds() - processor;
        if (t.all_busy) busy_wall_ += wall * result_.threads, busy_processor_ += processor;
        bursts_done += t.parts;
        if (options_.progress) options_.progress(bursts_done / (parts * rounds));
      }
  }

  void conclude() {
    Hardware& h = result_.hardware;
    h.name = "here", h.kind = Hardware::Kind::cpu, h.activations = DType::f32;
    h.title = fmt::format("{}, {}", machine_.processor, threads_text(result_.threads));
    for (auto& [arithmetic, reading] : result_.peaks) h.peaks[arithmetic] = reading.figure();
    result_.memory = result_.streams.back().read;  // all threads, eight streams
    h.bandwidth = result_.memory.figure();
    h.capacity = {.value = static_cast<double>(machine_.memory), .source = "MemTotal"};
    for (size_t i = 0; i < result_.caches.size(); ++i) h.caches[i].bandwidth = result_.caches[i].figure();

    Efficiency e;
    e.op = result_.op.figure(), e.step = result_.region.figure();
    for (bool memory : {true, false}) {
      Reading middle{memory ? "memory" : "compute", "1", "", {}};
      for (const auto& k : result_.kernels)
        if (k.of_memory == memory) middle.samples.push_back(k.share.median());
      if (middle.samples.empty()) continue;
      SourcedValue& into = memory ? e.memory : e.compute;
      into = {.value = std::min(1.0, rounded(middle.median())),
              .source = fmt::format(
                  "linears of q8_0, q4_K and bf16, 2048 x 2048, {}, beside {}; the median of the three",
                  memory ? "1 row" : "512 rows", memory ? "plain reads of memory" : "their instructions on registers"),
              .spread = rounded(middle.spread())};
    }
    h.efficiency = e;

    Surroundings& s = result_.surroundings;
    double wall = seconds_now() - begin_;
    ProcessorTime now = processor_time();
    s.processors = machine_.processors;
    s.scheduled = std::min(1.0, busy_processor_ / busy_wall_);
    s.foreign = std::max(0.0, (now.busy - time_.busy - (process_seconds() - own_)) / wall);
    s.stolen = std::max(0.0, (now.stolen - time_.stolen) / wall);
    for (const auto& [arithmetic, reading] : result_.peaks)
      s.compute_swing = std::max(s.compute_swing, reading.swing());
    s.read_swing = result_.memory.swing();
    result_.contended = contention(s);
    result_.seconds = wall;
    h.measured = Measurement{date_text(std::chrono::system_clock::now()), machine_.processor, result_.threads,
                             !result_.contended.empty()};
    if (!result_.contended.empty())
      h.note = fmt::format("Other work was on the machine: {}.", fmt::join(result_.contended, "; "));
  }

  const CalibrationOptions& options_;
  Machine machine_;
  double begin_;
  ProcessorTime time_;
  double own_;  // seconds of this process before
  Calibration result_;
  std::vector<std::unique_ptr<Team>> teams_;
  LargeMemory pool_;
  std::deque<RepeatedLinear> linears_;
  std::vector<Task> tasks_;
  double busy_wall_ = 0, busy_processor_ = 0;  // seconds of threads that had all to do
};

}  // namespace

double Reading::median() const { return ridgeline::median(samples); }
double Reading::best() const {
  return unit == "s" ? *std::ranges::min_element(samples) : *std::ranges::max_element(samples);
}
double Reading::spread() const {
  auto [least, greatest] = std::ranges::minmax(samples);
  return (greatest - least) / median();
}
double Reading::swing() const {
  std::vector<double> sorted = samples;
  std::ranges::sort(sorted);
  size_t outside = sorted.size() / 4;
  return (sorted[sorted.size() - 1 - outside] - sorted[outside]) / median();
}
SourcedValue Reading::figure() const {
  return {.value = rounded(median()),
          .source = fmt::format("{}; the median of {} bursts", method, samples.size()),
          .spread = rounded(spread())};
}

std::vector<std::string> contention(const Surroundings& s) {
  // A quiet machine gives its threads over 99 % of the time, and the peaks stand within a few percent; memory that other
  // machines read too wanders by a tenth even then.
  constexpr double scheduled = 0.97, foreign = 0.1, stolen = 0.02, compute_swing = 0.1, read_swing = 0.25;
  std::vector<std::string> reasons;
  if (s.scheduled < scheduled)
    reasons.push_back(fmt::format("its threads had a processor only {:.0f} % of the time", 100 * s.scheduled));
  if (s.foreign > foreign * s.processors)
    reasons.push_back(fmt::format("other programs kept {:.1f} of {} processors busy", s.foreign, s.processors));
  if (s.stolen > stolen * s.processors)
    reasons.push_back(fmt::format("other virtual machines took {:.1f} of {} processors", s.stolen, s.processors));
  if (s.compute_swing > compute_swing)
    reasons.push_back(fmt::format("equal computations differed by {:.0f} % in time", 100 * s.compute_swing));
  if (s.read_swing > read_swing)
    reasons.push_back(fmt::format("equal reads of memory differed by {:.0f} % in time", 100 * s.read_swing));
  return reasons;
}

Calibration calibrate(const CalibrationOptions& o) { return Measurements(o).run(); }

}  // namespace ridgeline
