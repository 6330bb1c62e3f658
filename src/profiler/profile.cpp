#include "profiler/profile.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "instance/bench.h"
#include "instance/bench_load.h"
#include "profiler/profile_batch.h"
#include "sampling/sampler.h"

namespace ridgeline {
namespace {

constexpr double round_seconds = 0.1;  // of timed steps: some time slices of the system
constexpr double longest_round = 0.5;  // where most steps are disturbed
constexpr int most_steps = 2000;       // whose times are kept

// Of the whole process, as the system counts it.
double processor_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}
int64_t times_displaced() {  // by another process, or in its favour
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return use.ru_nivcsw;
}

struct OpTicks {
  int64_t measured = 0, waiting = 0, barrier = 0;
};
struct Sample {
  size_t round;
  std::vector<OpTicks> ops;
  int64_t step, sampling, outside;  // ticks
  bool displaced = false;           // the system took a processor away in this step
  bool pair_displaced = false;      // in this one or the plain one beside it
  double to_plain = 1;              // its duration to that of the plain one
};

// The workers' stamps are taken apart along the thread that called: what lies between two of its barriers is the op until the
// last worker was done, and the barrier after that.
Sample taken_apart(const TracedStep& s, size_t round) {
  Sample out{round, std::vector<OpTicks>(s.timer.ops()), s.end - s.start, s.end - s.computed, 0};
  auto tracks = s.timer.tracks();
  int64_t before = tracks[0].began();
  for (size_t op = 0; op < s.timer.ops(); ++op) {
    int64_t passed = tracks[0][op].passed, last = before, waiting = 0;
    if (!passed) continue;
    for (const auto& t : tracks) last = std::max(last, std::min(t[op].ended, passed));
    for (const auto& t : tracks) waiting += last - std::clamp(t[op].ended, before, last);
    out.ops[op] = {last - before, waiting / std::ssize(tracks), passed - last};
    before = passed;
  }
  out.outside = tracks[0].began() - s.start + s.computed - before;
  return out;
}

// What the machine does at best, in the kinds of work that a program has.
class Limits {
 public:
  Limits(Instance& m, const std::optional<Hardware>& given) : m_(m), given_(given) {
    if (given_) return;
    memory_.emplace(m);
    Hardware cpu{.kind = Hardware::Kind::cpu};
    for (const Node& n : m.program().nodes) kinds_.insert(arithmetic_of(m.program(), n, cpu, {}));
    burst();  // the first pass finds what was written just now on its way to memory
  }

  // Takes about 100 ms.
  Hardware burst() {
    if (given_) return *given_;
    const std::string source = "bursts between the steps";
    Hardware h{.name = "here", .title = "this machine, " + source, .kind = Hardware::Kind::cpu};
    h.activations = DType::f32;
    h.bandwidth = {while_running([&] { return read_burst(m_.team(), memory_->bytes(), read_burst_seconds); }), source};
    for (Arithmetic a : kinds_)
      h.peaks[a] = {while_running([&] { return compute_burst(m_.team(), kind_of(a), compute_burst_seconds); }), source};
    h.capacity = {static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE)),
                  "the operating system"};
    return h;
  }

 private:
  // A burst's rate for the time in which its threads had a processor: a limit is what the machine can do, and a step without
  // disturbance is held against it.
  template <class Burst>
  double while_running(Burst burst) const {
    constexpr double least = 0.02;  // of the time: below that the system's counting is too coarse
    TickClock clock;
    int64_t start = TickClock::now();
    double before = processor_seconds(), rate = burst(), used = processor_seconds() - before;
    double wall = static_cast<double>(TickClock::now() - start) * clock.seconds_per_tick();
    return rate / std::clamp(used / (wall * m_.team().size()), least, 1.0);
  }
  static ComputeKind kind_of(Arithmetic a) {
    return a == Arithmetic::int8   ? ComputeKind::int8_dot
           : a == Arithmetic::bf16 ? ComputeKind::bf16_dot
                                   : ComputeKind::fma;
  }
  Instance& m_;
  std::optional<Hardware> given_;
  std::optional<ReadMemory> memory_;
  std::set<Arithmetic> kinds_ = {Arithmetic::fp32};  // of everything elementwise
};

// One figure of several measurements.
SourcedValue combined(std::vector<SourcedValue> of) {
  std::vector<double> values;
  for (const SourcedValue& f : of) values.push_back(f.value);
  auto [least, greatest] = std::ranges::minmax(values);
  SourcedValue f = of.front();
  f.value = median(values), f.spread = (greatest - least) / f.value;
  return f;
}
Hardware combined(const std::vector<Hardware>& of) {
  Hardware h = of.front();
  auto each = [&](auto figure) {
    std::vector<SourcedValue> all;
    for (const Hardware& one : of) all.push_back(figure(one));
    return combined(all);
  };
  h.bandwidth = each([](const Hardware& one) { return one.bandwidth; });
  for (auto& [arithmetic, peak] : h.peaks)
    peak = each([a = arithmetic](const Hardware& one) { return one.peaks.at(a); });
  return h;
}
// The limits around a round, from the bursts on both sides of it.
Hardware between(const Hardware& before, const Hardware& after) {
  Hardware h = before;
  h.bandwidth.value = (before.bandwidth.value + after.bandwidth.value) / 2;
  for (auto& [arithmetic, peak] : h.peaks) peak.value = (peak.value + after.peaks.at(arithmetic).value) / 2;
  return h;
}

class Profiler {
 public:
  Profiler(Instance& m, const ProfileOptions& o)
      : m_(m), o_(o), batch_(m, o.batch), timer_(m.program().nodes.size(), m.team().size()), limits_(m, o.hardware) {}

  Profile run() {
    step(nullptr);  // places the values
    Hardware before = limits_.burst();
    for (int round = 0; round < o_.repetitions; ++round) {
      measure_round(round + 1 == o_.repetitions);
      Hardware after = limits_.burst();
      hardware_.push_back(between(before, after));
      times_.push_back(Roofline(m_.program(), hardware_.back()).at(o_.batch));
      before = std::move(after);
    }
    return result();
  }

 private:
  TracedStep step(OpTimer* timer) {
    m_.executor().time_ops(timer);
    int64_t start = TickClock::now();
    Logits logits = batch_.step();
    int64_t computed = TickClock::now();
    for (int64_t r = 0; r < logits.rows; ++r) chosen_ = greatest(logits.row(r));
    int64_t end = TickClock::now();
    m_.executor().time_ops(nullptr);
    return {start, computed, end, timer ? *timer : OpTimer(0, 0)};
  }

  // Pairs of a step that is timed and one that is not, the order of the two by turns.
  void measure_round(bool last) {
    double tick = clock_.seconds_per_tick();
    step(nullptr);  // finds the caches as the bursts left them
    int most = std::max(1, most_steps / o_.repetitions), done = 0;
    double seconds = 0, undisturbed = 0;
    for (; done < most && undisturbed < round_seconds && seconds < longest_round; ++done) {
      int64_t plain = 0, first = times_displaced();
      if (done % 2 == 0) plain = duration(step(nullptr));
      int64_t before = times_displaced();
      TracedStep timed = step(&timer_);
      int64_t after = times_displaced();
      if (done % 2 == 1) plain = duration(step(nullptr));
      Sample& s = samples_.emplace_back(taken_apart(timed, hardware_.size()));
      s.displaced = after != before, s.pair_displaced = times_displaced() != first;
      s.to_plain = static_cast<double>(duration(timed)) / static_cast<double>(plain);
      double took = static_cast<double>(duration(timed)) * tick;
      seconds += took, undisturbed += s.displaced ? 0 : took;
      if (last && std::ssize(trace_) < o_.traced_steps) trace_.push_back(std::move(timed));
    }
  }
  static int64_t duration(const TracedStep& s) { return s.end - s.start; }

  int displaced() const { return static_cast<int>(std::ranges::count(samples_, true, &Sample::displaced)); }
  bool leaves_out() const { return std::ssize(samples_) - displaced() >= 8; }

  // By how near each came to its roof: the middle half of the undisturbed steps, or where they are too few the best quarter of
  // all, which were disturbed least.
  std::vector<const Sample*> chosen() const {
    std::vector<const Sample*> all;
    for (const Sample& s : samples_)
      if (!s.displaced || !leaves_out()) all.push_back(&s);
    std::ranges::sort(all, {}, [&](const Sample* s) { return static_cast<double>(s->step) / times_[s->round].ideal; });
    auto quarter = std::ssize(all) / 4;
    bool best = displaced() && !leaves_out();
    return best ? std::vector(all.begin(), all.begin() + quarter + 1)
                : std::vector(all.begin() + quarter, all.end() - quarter);
  }
  // How much longer timed steps took than the plain ones beside them, ascending.
  std::vector<double> pairs() const {
    std::vector<double> undisturbed, all;
    for (const Sample& s : samples_) {
      all.push_back(s.to_plain - 1);
      if (!s.pair_displaced) undisturbed.push_back(s.to_plain - 1);
    }
    auto& pairs = undisturbed.size() >= 4 ? undisturbed : all;
    std::ranges::sort(pairs);
    return pairs;
  }

  Profile result() {
    Profile p{.model = m_.name(), .batch = o_.batch, .program = m_.program(), .threads = m_.team().size()};
    p.sets = sets();
    p.hardware = o_.hardware ? *o_.hardware : combined(hardware_);
    p.limits_in_run = !o_.hardware;
    p.cost = step_cost(p.program, o_.batch);
    for (const OpTime& op : Roofline(p.program, p.hardware).at(o_.batch).ops) p.limits.push_back(op.limit());
    p.seconds_per_tick = clock_.seconds_per_tick();
    p.trace = std::move(trace_);
    auto pairs = this->pairs();
    p.pairs = static_cast<int>(pairs.size());
    p.observing = median(pairs), p.observing_low = pairs[pairs.size() / 4];
    p.observing_high = pairs[pairs.size() - 1 - pairs.size() / 4];
    p.ops.resize(p.program.nodes.size());
    auto used = chosen();
    p.displaced = static_cast<int>(std::ranges::count(samples_, true, &Sample::displaced));
    p.displaced = displaced(), p.left_out = leaves_out() ? p.displaced : 0;
    p.steps = static_cast<int>(samples_.size()), p.used = static_cast<int>(used.size());
    double share = 1 / static_cast<double>(used.size()), tick = share * p.seconds_per_tick;
    bool calibrated = p.hardware.efficiency.has_value();
    if (calibrated) p.predicted = 0;
    for (const Sample* s : used) {
      const StepTime& time = times_[s->round];
      for (size_t i = 0; i < p.ops.size(); ++i) {
        OpProfile& op = p.ops[i];
        op.ideal += share * time.ops[i].ideal;
        if (calibrated) op.predicted += share * time.ops[i].calibrated;
        op.measured += tick * static_cast<double>(s->ops[i].measured);
        op.waiting += tick * static_cast<double>(s->ops[i].waiting);
        op.barrier += tick * static_cast<double>(s->ops[i].barrier);
      }
      p.ideal += share * time.ideal;
      if (calibrated) *p.predicted += share * time.calibrated;
      p.step += tick * static_cast<double>(s->step);
      p.sampling += tick * static_cast<double>(s->sampling);
      p.unexplained += tick * static_cast<double>(s->outside);
    }
    for (size_t i = 0; i < p.ops.size(); ++i) p.barriers += timer_.tracks()[0][i].passed != 0;
    return p;
  }

  std::vector<std::string> sets() const {
    std::map<std::pair<std::string, std::string>, std::string> served;
    for (const auto& s : m_.executor().served()) served[{s.op, s.types}] = s.set;
    std::vector<std::string> sets;
    for (const Node& n : m_.program().nodes)
      sets.push_back(served.at({std::string(n.op.name()), m_.program().signature(n).text()}));
    return sets;
  }

  Instance& m_;
  const ProfileOptions& o_;
  TickClock clock_;
  ProfiledBatch batch_;
  OpTimer timer_;
  Limits limits_;
  std::vector<Hardware> hardware_;  // by round
  std::vector<StepTime> times_;     // by round
  std::vector<Sample> samples_;
  std::vector<TracedStep> trace_;
  int32_t chosen_ = 0;
};

}  // namespace

double Profile::in_ops() const {
  return std::accumulate(ops.begin(), ops.end(), 0.0, [](double sum, const OpProfile& o) { return sum + o.measured; });
}
double Profile::in_barriers() const {
  return std::accumulate(ops.begin(), ops.end(), 0.0, [](double sum, const OpProfile& o) { return sum + o.barrier; });
}

Profile profile(Instance& m, const ProfileOptions& o) {
  require(o.repetitions > 0 && !o.batch.sequences.empty(), "a profile needs a batch and a repetition");
  if (o.hardware && o.hardware->kind == Hardware::Kind::gpu)
    fail(ExitCode::usage, "other_machine",
         "{} is a GPU, and what is measured runs on this processor: give a hardware file of a CPU, or none",
         o.hardware->name);
  return Profiler(m, o).run();
}

}  // namespace ridgeline
