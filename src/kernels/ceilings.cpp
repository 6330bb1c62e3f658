#include "kernels/ceilings.h"

#include <emmintrin.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include "base/error.h"
#include "kernels/ceilings_loop.h"

namespace ridgeline {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// What every x86-64 processor has: SSE2.
void multiply_add() {
  __m128 x = _mm_set1_ps(0.75f);
  repeat<12>(x, [=](__m128 a) { return _mm_add_ps(_mm_mul_ps(a, x), x); });
}
template <size_t streams>
void read_sse2(const std::byte* at, size_t stride, size_t bytes) {
  read_streams<streams>(
      at, stride, bytes, _mm_setzero_si128(),
      [](const std::byte* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); },
      [](__m128i a, __m128i b) { return _mm_xor_si128(a, b); });
}
constexpr double sse2_operations = 8.0 * 12 * peak_rounds;
constexpr Peak sse2_peaks[] = {
    {ComputeKind::fma, "mulps and addps", sse2_operations, multiply_add},
    {ComputeKind::bf16_dot, "mulps and addps", sse2_operations, multiply_add},
    {ComputeKind::int8_dot, "mulps and addps", sse2_operations, multiply_add},
};
const Ceilings sse2_ceilings{[] { return true; }, {read_sse2<1>, read_sse2<2>, read_sse2<4>, read_sse2<8>}, sse2_peaks};

const Ceilings* const all_ceilings[] = {&avx512_ceilings, &avx2_ceilings, &sse2_ceilings};

// Operations/s of one thread: the best of a few tries of about 0.3 ms.
double tried(const Peak& peak) {
  double best = 0;
  for (int trial = 0; trial < 4; ++trial) {
    double start = now();
    for (int i = 0; i < 20; ++i) peak.run();
    best = std::max(best, 20 * peak.operations / (now() - start));
  }
  return best;
}

const Peak* fastest(ComputeKind kind) {
  const Peak* best = nullptr;
  double rate = 0;
  for (const Ceilings* set : all_ceilings) {
    if (!set->supported()) continue;
    for (const Peak& peak : set->peaks) {
      if (peak.kind != kind) continue;
      if (double r = tried(peak); r > rate) best = &peak, rate = r;
    }
  }
  return best;
}

const Peak& peak_of(ComputeKind kind) {
  static const Peak* const best[] = {fastest(ComputeKind::int8_dot), fastest(ComputeKind::bf16_dot),
                                     fastest(ComputeKind::fma)};
  return *best[static_cast<int>(kind)];
}

// Work/s of a team whose workers repeat part(worker), which returns the work it did, until the time is over.
template <class Part>
double burst(Team& team, double seconds, Part part) {
  std::atomic<double> total{0};
  double start = now();
  team.run([&](Worker& w) {
    double done = 0;
    while (now() - start < seconds) done += part(w);
    total.fetch_add(done);
  });
  return total / (now() - start);
}

}  // namespace

double read_burst(Team& team, std::span<const std::byte> memory, double seconds, int count) {
  constexpr size_t step = 256, least = 8 * step;
  require(memory.size() >= 2 * least, "{} bytes are too few to measure reading", memory.size());
  const auto* kind = std::ranges::find(stream_counts, count);
  require(kind != std::end(stream_counts), "there is no reader of {} streams", count);
  auto streams = static_cast<size_t>(count), most = (size_t{256} << 10) / streams;  // bytes of one stream at a time
  const Ceilings& set =
      **std::find_if(std::begin(all_ceilings), std::end(all_ceilings), [](auto* c) { return c->supported(); });
  auto workers = static_cast<size_t>(team.size());
  bool shared_out = memory.size() / workers >= 2 * least;  // else everybody reads all of it
  size_t share = shared_out ? memory.size() / workers : memory.size(), stride = share / streams / step * step;
  std::vector<size_t> reached(workers * 8);  // one cache line each
  return burst(team, seconds, [&](Worker& w) {
    auto index = static_cast<size_t>(w.index());
    size_t& at = reached[index * 8];
    size_t bytes = std::min(most, stride - at);
    set.read[kind - stream_counts](memory.data() + (shared_out ? index * share : 0) + at, stride, bytes);
    at = at + bytes == stride ? 0 : at + bytes;
    return static_cast<double>(bytes * streams);
  });
}

ComputeKind compute_kind_of(DType weights) {
  if (is_grouped(weights)) return ComputeKind::int8_dot;
  return weights == DType::bf16 ? ComputeKind::bf16_dot : ComputeKind::fma;
}

double compute_burst(Team& team, ComputeKind kind, double seconds) {
  const Peak& peak = peak_of(kind);
  return burst(team, seconds, [&](Worker&) { return peak.run(), peak.operations; });
}

std::string_view compute_instruction(ComputeKind kind) { return peak_of(kind).instruction; }

}  // namespace ridgeline
