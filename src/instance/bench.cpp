#include "instance/bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <numeric>

#include "base/error.h"
#include "instance/bench_load.h"
#include "instance/generate.h"

namespace ridgeline {
namespace {

constexpr double generate_seconds = 0.1;  // of one burst of generation: several steps even of a 1B model

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// What a step of a program costs, as formulas.
struct Formulas {
  Count bytes_read, operations;  // weights and KV; FLOPs of matrix products and attention
  bool cached;
  explicit Formulas(const Program& p) : cached(p.is_cached()) {
    for (const auto& n : p.nodes) {
      Cost cost = p.cost(n);
      Traffic traffic = p.traffic(cost);
      bytes_read += traffic.read[static_cast<size_t>(Role::weight)] + traffic.read[static_cast<size_t>(Role::kv)];
      operations += cost.matmul + cost.attention;
    }
  }
  double at(const Count& formula, int64_t fresh, int64_t before) const {
    BatchShape batch{{{fresh, before, 1}}};
    return static_cast<double>(formula.at(cached ? batch : batch.uncached()));
  }
};

// Bursts of a test alternate with bursts of a limit; each of the former is held against the latter on both sides of it.
template <class Burst>
class Alternating {
 public:
  Alternating(BenchResult& result, Burst burst) : result_(result), burst_(burst), before_(burst()) {}
  void add(double work) {
    double after = burst_(), limit = (before_ + after) / 2;
    result_.work.push_back(work), result_.limit.push_back(limit), result_.fraction.push_back(work / limit);
    before_ = after;
  }

 private:
  BenchResult& result_;
  Burst burst_;
  double before_;
};

void bench_prompt(Instance& m, Conversation& c, int repetitions, BenchResult& r) {
  const BenchTest& t = r.test;
  auto ids = random_tokens(m, t.prompt);
  Formulas cost(m.program());
  double operations = 0;
  for (int64_t done = 0; done < t.prompt; done += t.batch)
    operations += cost.at(cost.operations, std::min(t.batch, t.prompt - done), t.depth + done);
  c.extend(ids, t.batch);  // warm-up
  Alternating roof(r, [&] { return compute_burst(m.team(), r.kind, compute_burst_seconds); });
  for (int i = 0; i < repetitions; ++i) {
    c.cut(t.depth);
    double start = now();
    c.extend(ids, t.batch);
    double seconds = now() - start;
    r.samples.push_back(static_cast<double>(t.prompt) / seconds);
    roof.add(operations / seconds);
  }
}

void bench_generate(Instance& m, Conversation& c, int repetitions, BenchResult& r) {
  const BenchTest& t = r.test;
  const int32_t first = random_tokens(m, t.depth + 1).back();
  Formulas cost(m.program());
  int32_t next = first;
  auto step = [&] { next = greatest(c.extend({&next, 1}, t.batch).row(0)); };
  for (int64_t i = 0; i < std::min<int64_t>(t.generate, 4); ++i) step();  // warm-up
  ReadMemory memory(m);
  Alternating limit(r, [&] { return read_burst(m.team(), memory.bytes(), read_burst_seconds); });
  for (int i = 0; i < repetitions; ++i) {
    c.cut(t.depth);
    next = first;
    double total = 0;
    for (int64_t done = 0; done < t.generate;) {
      double start = now(), seconds = 0, bytes = 0;
      int64_t from = done;
      do step(), ++done, seconds = now() - start;
      while (done < t.generate && seconds < generate_seconds);
      for (int64_t i_token = from; i_token < done; ++i_token) bytes += cost.at(cost.bytes_read, 1, t.depth + i_token);
      total += seconds;
      limit.add(bytes / seconds);
    }
    r.samples.push_back(static_cast<double>(t.generate) / total);
  }
}

}  // namespace

std::string BenchTest::name() const {
  std::string name = prompt ? fmt::format("pp{}", prompt) : fmt::format("tg{}", generate);
  return depth ? fmt::format("{} @ d{}", name, depth) : name;
}

double mean(const std::vector<double>& x) {
  return x.empty() ? 0 : std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double deviation(const std::vector<double>& x) {
  if (x.size() < 2) return 0;
  double m = mean(x), sum = 0;
  for (double v : x) sum += (v - m) * (v - m);
  return std::sqrt(sum / static_cast<double>(x.size() - 1));
}

double median(std::vector<double> x) {
  if (x.empty()) return 0;
  std::sort(x.begin(), x.end());
  return (x[x.size() / 2] + x[(x.size() - 1) / 2]) / 2;
}

BenchResult bench(Instance& m, const BenchTest& test, int repetitions) {
  require((test.prompt > 0) != (test.generate > 0) && test.depth >= 0 && test.batch > 0,
          "a test is either a prompt or generation");
  BenchResult result{.test = test, .kind = compute_kind_of(m.program())};
  Conversation conversation(m);
  if (test.depth) conversation.extend(random_tokens(m, test.depth));
  (test.prompt ? bench_prompt : bench_generate)(m, conversation, repetitions, result);
  return result;
}

int64_t bytes_read_per_token(const Instance& m, int64_t cached) {
  Formulas cost(m.program());
  return static_cast<int64_t>(cost.at(cost.bytes_read, 1, cached));
}

double quick_read_limit(Instance& m) {
  ReadMemory memory(m);
  read_burst(m.team(), memory.bytes(), 0.05);  // the first pass finds what was written just now on its way to memory
  return read_burst(m.team(), memory.bytes(), 0.1);
}

Hardware limits_now(Instance& m) {
  Hardware h{.name = "now", .title = "this machine now", .kind = Hardware::Kind::cpu, .activations = DType::f32};
  h.bandwidth = {quick_read_limit(m), "plain reads, just now"};
  for (auto [arithmetic, kind] : {std::pair{Arithmetic::int8, ComputeKind::int8_dot},
                                  {Arithmetic::bf16, ComputeKind::bf16_dot},
                                  {Arithmetic::fp32, ComputeKind::fma}})
    h.peaks[arithmetic] = {compute_burst(m.team(), kind, compute_burst_seconds / 2),
                           std::string(compute_instruction(kind))};
  return h;
}

ComputeKind compute_kind_of(const Program& p) {
  std::map<ComputeKind, int64_t> elements;
  for (const auto& v : p.values)
    if (v.origin == Program::Origin::weight && v.type.is_matrix())
      elements[compute_kind_of(v.type.dtype)] += v.type.elements().constant();
  auto most = std::max_element(elements.begin(), elements.end(), [](auto& a, auto& b) { return a.second < b.second; });
  return most == elements.end() ? ComputeKind::fma : most->first;
}

}  // namespace ridgeline
