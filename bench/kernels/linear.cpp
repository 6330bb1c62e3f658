// How close the matrix products come to the limits of the processor and its memory. Bursts of a kernel and of its ceilings alternate, and every
// fraction is the median of the ratios of neighbours: the rate of memory, and of a shared processor, wanders by half in a minute.
//
//   bench_linear [-t THREADS] [WORD]...      only lines that contain each WORD: bench_linear avx512 q8_0 M=512
#include <sys/mman.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <vector>

#include "kernels/ceilings.h"
#include "kernels/kernel_set.h"
#include "ops/fused.h"

namespace ridgeline::bench {
namespace {

constexpr size_t pool_bytes = size_t{256} << 20;  // of weights: no cache holds them from one pass to the next
constexpr double burst_seconds = 0.03;
constexpr int pairs = 9;

// One op of one model, as the fused program has it.
struct Case {
  const char* model;
  const char* op;
  int64_t out, in;
};
constexpr Case cases[] = {
    {"SmolLM2-135M", "linear_silu_mul", 1536, 576}, {"SmolLM2-135M", "linear_add", 576, 576},
    {"SmolLM2-135M", "linear_add", 576, 1536},      {"SmolLM2-135M", "linear", 49152, 576},
    {"Llama-1B", "linear_silu_mul", 8192, 2048},    {"Llama-1B", "linear_add", 2048, 2048},
    {"Llama-1B", "linear_add", 2048, 8192},
};
constexpr Signature signatures[] = {{DType::q8, DType::q8_0}, {DType::q8, DType::q4_0},   {DType::q8, DType::q4_1},
                                    {DType::q8, DType::q5_0}, {DType::q8, DType::q5_1},   {DType::q8, DType::q2_K},
                                    {DType::q8, DType::q3_K}, {DType::q8, DType::q4_K},   {DType::q8, DType::q5_K},
                                    {DType::q8, DType::q6_K}, {DType::bf16, DType::bf16}, {DType::f32, DType::f16},
                                    {DType::f32, DType::f32}};

// Large pages where there are any, so that no reader pays for the others' address translation.
std::byte* allocate(size_t bytes) {
  void* p = mmap(nullptr, bytes + (size_t{2} << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  require(p != MAP_FAILED, "cannot allocate {} bytes", bytes);
  auto* at = reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(p) + 0x1fffff) & ~uintptr_t{0x1fffff});
  madvise(at, bytes, MADV_HUGEPAGE);
  auto* halves = reinterpret_cast<uint16_t*>(at);  // moderate numbers in every type
  for (size_t i = 0; i < bytes / 2; ++i) halves[i] = static_cast<uint16_t>(0x3c00 + (i * 2654435761u >> 26) % 64);
  return at;
}

// An op over one activation and as many copies of its weights as the pool holds, used in turn.
class Repeated {
 public:
  Repeated(const Case& c, Signature s, int64_t rows, std::byte* pool, std::byte* activations, std::byte* results)
      : op_(op_of(c)), weights_(std::string_view(c.op) == "linear_silu_mul" ? 2 : 1) {
    size_t matrix = static_cast<size_t>(packed_bytes(s.other, c.out, c.in));
    bytes_ = matrix * weights_;
    flops_ = 2.0 * static_cast<double>(rows * c.out * c.in) * static_cast<double>(weights_);
    for (size_t at = 0; at + bytes_ <= pool_bytes; at += bytes_) {
      Tensor x{s.input, Layout::rows, rows, c.in, activations}, y{DType::f32, Layout::rows, rows, c.out, results};
      Tensor w{s.other, Layout::panels, c.out, c.in, pool + at}, up = w;
      up.data += matrix;
      copies_.push_back({x, w, up, y, y});
    }
  }
  size_t bytes() const { return bytes_; }
  double flops() const { return flops_; }
  const Op& op() const { return op_; }
  KernelMemory memory(long i) const { return {copies_[static_cast<size_t>(i) % copies_.size()], results_}; }

 private:
  static Op op_of(const Case& c) {
    std::string_view name = c.op;
    Value x{0}, weight{1}, up{2}, before{3};
    if (name == "linear_silu_mul") return LinearGated<Silu>{x, weight, up};
    if (name == "linear_add") return LinearAdd{before, x, weight, {}};
    return Linear{x, weight, {}};
  }
  Op op_;
  size_t weights_, bytes_;
  double flops_;
  std::vector<std::vector<Tensor>> copies_;
  Values results_{Value{4}};
};

// The seconds one op takes, over a burst of n of them, the first with copy `first`: barriers between, as in a step.
double seconds_each(const Repeated& repeated, const Cell& cell, Team& team, long first, long n) {
  auto begin = std::chrono::steady_clock::now();
  team.run([&](Worker& w) {
    for (long i = first; i < first + n; ++i) cell.run(repeated.op(), repeated.memory(i), w), w.barrier();
  });
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / static_cast<double>(n);
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

void measure(const std::string& label, const KernelSet& set, const Repeated& repeated, Signature s, std::byte* pool,
             Team& team) {
  const Cell* cell = set.find(repeated.op().name(), s);
  if (!cell) return;
  KernelMemory memory = repeated.memory(0);
  if (cell->shared_bytes) team.reserve_shared(cell->shared_bytes(repeated.op(), memory));
  seconds_each(repeated, *cell, team, 0, 1);
  long n = std::max(1l, static_cast<long>(burst_seconds / seconds_each(repeated, *cell, team, 1, 1))), done = 0;

  auto bytes = static_cast<double>(repeated.bytes());
  ComputeKind kind = compute_kind_of(s.other);
  std::vector<double> times, of_read, of_peak;
  for (int i = 0; i < pairs; ++i, done += n) {
    double t = seconds_each(repeated, *cell, team, done, n);
    times.push_back(t);
    of_read.push_back(bytes / t / read_burst(team, {pool, pool_bytes}, burst_seconds));
    of_peak.push_back(repeated.flops() / t / compute_burst(team, kind, burst_seconds));
  }
  double t = median(times);
  std::string_view instruction = compute_instruction(kind);
  std::printf("%-62s %9.1f us %6.1f GB/s %4.0f %% of read %8.1f GFLOP/s %4.0f %% of %.*s\n", label.c_str(), t * 1e6,
              bytes / t / 1e9, 100 * median(of_read), repeated.flops() / t / 1e9, 100 * median(of_peak),
              static_cast<int>(instruction.size()), instruction.data());
  std::fflush(stdout);
}

void run(int threads, const std::vector<std::string_view>& words) {
  std::byte *pool = allocate(pool_bytes), *activations = allocate(size_t{32} << 20),
            *results = allocate(size_t{128} << 20);
  Team team(threads);
  for (const KernelSet* set : usable_kernel_sets())
    for (Signature s : signatures)
      for (const Case& c : cases)
        for (int64_t rows : {1, 4, 16, 128, 512}) {
          if (c.in % row_of(s.other).block) continue;
          std::string label =
              fmt::format("{} {} {} {} N={} K={} M={}", set->name, name_of(s.other), c.model, c.op, c.out, c.in, rows);
          auto has = [&](std::string_view word) {
            return fmt::format(" {} ", label).find(fmt::format(" {} ", word)) != std::string::npos;
          };
          if (!std::all_of(words.begin(), words.end(), has)) continue;
          measure(label, *set, Repeated(c, s, rows, pool, activations, results), s, pool, team);
        }
}

}  // namespace
}  // namespace ridgeline::bench

int main(int count, char** words) {
  int threads = 2;
  std::vector<std::string_view> wanted(words + 1, words + count);
  if (wanted.size() >= 2 && wanted[0] == "-t") {
    std::from_chars(wanted[1].data(), wanted[1].data() + wanted[1].size(), threads);
    wanted.erase(wanted.begin(), wanted.begin() + 2);
  }
  ridgeline::bench::run(threads, wanted);
}
