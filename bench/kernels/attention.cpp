// How close attention over the KV cache comes to what memory delivers (decode), and what a prompt costs (prefill). Bursts of the
// kernel and of plain reading alternate, and the fraction is the median of the ratios of neighbours: the rate of memory wanders.
//
//   bench_attention [THREADS]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/large_memory.h"
#include "kernels/ceilings.h"
#include "kernels/kernel_set.h"
#include "ops/attention.h"

namespace ridgeline::bench {
namespace {

constexpr size_t pool_bytes = size_t{256} << 20;  // of pages: no cache holds them from one pass to the next
constexpr double burst_seconds = 0.04;
constexpr int pairs = 9;

struct Case {
  const char* model;
  int kv_heads, group, head_dim;
  int fresh, cached;
};
constexpr Case cases[] = {
    {"SmolLM2-135M", 3, 3, 64, 1, 2047}, {"Llama-1B", 8, 4, 64, 1, 2047},       {"Llama-8B", 8, 4, 128, 1, 2047},
    {"SmolLM2-135M", 3, 3, 64, 1, 255},  {"SmolLM2-135M", 3, 3, 64, 500, 0},    {"Llama-1B", 8, 4, 64, 500, 0},
    {"Llama-8B", 8, 4, 128, 500, 0},     {"SmolLM2-135M", 3, 3, 64, 500, 1548},
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

// One attention, over the caches of as many layers as the pool holds, in turn.
class Repeated {
 public:
  Repeated(const Case& c, const LargeMemory& pool)
      : op_(Attention{
            {0}, {1}, {2}, {3}, {4}, c.head_dim, 0, 1 / std::sqrt(static_cast<float>(c.head_dim)), DType::bf16}) {
    int64_t keys = c.fresh + c.cached, pages = (keys + page_tokens - 1) / page_tokens, cols = c.kv_heads * c.head_dim;
    q_.resize(static_cast<size_t>(c.fresh * cols * c.group)), y_.resize(q_.size());
    for (size_t i = 0; i < q_.size(); ++i) q_[i] = static_cast<float>(i * 37 % 101) * 0.01f - 0.5f;
    sequences_ = {c.fresh, c.cached};
    for (int64_t i = 0; i < keys; ++i)
      slots_.push_back(static_cast<int32_t>((i / page_tokens * 7919 % pages) * page_tokens + i % page_tokens));
    size_t layer = static_cast<size_t>(pages * c.kv_heads * page_bytes(DType::bf16, c.head_dim));
    for (size_t at = 0; at + layer <= pool_bytes; at += layer) {
      auto* data = pool.data() + at;
      auto floats = [](std::vector<float>& v) { return reinterpret_cast<std::byte*>(v.data()); };
      auto indices = [](std::vector<int32_t>& v) { return reinterpret_cast<std::byte*>(v.data()); };
      layers_.push_back({{DType::f32, Layout::rows, c.fresh, cols * c.group, floats(q_)},
                         {DType::bf16, Layout::keys, pages * page_tokens, cols, data, c.head_dim},
                         {DType::bf16, Layout::values, pages * page_tokens, cols, data, c.head_dim},
                         {DType::i32, Layout::rows, 1, 2, indices(sequences_)},
                         {DType::i32, Layout::rows, keys, 1, indices(slots_)},
                         {DType::f32, Layout::rows, c.fresh, cols * c.group, floats(y_)}});
    }
    bytes = static_cast<double>(keys * cols * 4);
    flops = 4.0 * static_cast<double>(cols * c.group) *
            (static_cast<double>(c.fresh) * c.cached + c.fresh * (c.fresh + 1) / 2.0);
  }
  double seconds_of(const Cell& cell, Team& team) {  // of one call
    team.reserve_shared(cell.shared_bytes(op_, KernelMemory(layers_[0], results_)));
    int64_t calls = 0;
    double begin = now(), end = begin;
    for (; end - begin < burst_seconds; end = now())
      team.run([&](Worker& w) {
        for (int i = 0; i < 16; ++i) {
          cell.run(op_, KernelMemory(layers_[static_cast<size_t>(calls + i) % layers_.size()], results_), w);
          w.barrier();
        }
        if (w.index() == 0) calls += 16;
      });
    return (end - begin) / static_cast<double>(calls);
  }
  double bytes, flops;

 private:
  Op op_;
  std::vector<float> q_, y_;
  std::vector<int32_t> sequences_, slots_;
  std::vector<std::vector<Tensor>> layers_;
  Values results_ = {{5}};
};

void measure(const KernelSet& set, const Case& c, Team& team, const LargeMemory& pool) {
  const Cell* cell = set.find("attention", {DType::f32, DType::bf16});
  if (!cell) return;
  Repeated repeated(c, pool);
  std::vector<double> seconds, fractions;
  for (int i = 0; i < pairs; ++i) {
    double read = read_burst(team, {pool.data(), pool.size()}, burst_seconds);
    seconds.push_back(repeated.seconds_of(*cell, team));
    fractions.push_back(repeated.bytes / seconds.back() / read);
  }
  double s = median(seconds);
  std::printf("%-7.*s %-13s %4d new on %4d: %8.1f us %7.1f GB/s, %3.0f %% of the read limit, %7.1f GFLOP/s\n",
              static_cast<int>(set.name.size()), set.name.data(), c.model, c.fresh, c.cached, s * 1e6,
              repeated.bytes / s * 1e-9, 100 * median(fractions), repeated.flops / s * 1e-9);
}

}  // namespace
}  // namespace ridgeline::bench

int main(int count, char** words) {
  using namespace ridgeline;
  Team team(count > 1 ? std::atoi(words[1]) : static_cast<int>(std::thread::hardware_concurrency()));
  LargeMemory pool(bench::pool_bytes);
  auto* halves = reinterpret_cast<uint16_t*>(pool.data());  // moderate numbers
  for (size_t i = 0; i < pool.size() / 2; ++i) halves[i] = static_cast<uint16_t>(0x3c00 + (i * 2654435761u >> 26) % 64);
  for (const KernelSet* set : usable_kernel_sets())
    for (const auto& c : bench::cases) bench::measure(*set, c, team, pool);
}
