#include "instance/verify_ways.h"

#include <algorithm>

#include "base/error.h"

namespace ridgeline {
namespace {

constexpr int batch_sizes[] = {1, 2, 5, 16};
constexpr int64_t reference_operations = 3'000'000'000;  // some ten seconds

}  // namespace

Workload Workload::within(int64_t context) {
  int64_t tokens = std::min(context, verify_prompt_tokens + verify_generated_tokens);
  int64_t generated = std::min(verify_generated_tokens, tokens / 4);
  return {tokens - generated, generated};
}

// An orthogonal array of strength 2 from the field of four elements (Bose 1938): rows (i, j), columns i, j, i + j, i
// + 2 j. Any two columns hold each pair of values exactly once.
std::vector<Way> ways_of(const std::string& kernels, const VerifyOptions& o, const Workload& w) {
  const int64_t chunks[] = {w.prompt, 64, 7, 1};
  constexpr int doubled[] = {0, 2, 3, 1};
  auto threads = [&](int level) { return o.threads[(static_cast<size_t>(level) + 1) % o.threads.size()]; };
  std::vector<Way> ways;
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) {
      if (o.quick && i != j) continue;
      int sum = i ^ j, other = i ^ doubled[j];
      ways.push_back(
          {kernels, threads(o.quick ? i : sum), chunks[i], batch_sizes[j], true, other % 2 == 0, w.tokens()});
    }
  for (int j = 0; j < 4; ++j) {
    if (o.quick && j != 1) continue;
    ways.push_back({kernels, threads(j), w.tokens(), batch_sizes[j], false, j % 2 == 0, w.tokens()});
  }
  return ways;
}

std::vector<Way> reference_ways(const VerifyOptions& o, const Workload& w, int64_t operations_per_token) {
  int64_t affordable = reference_operations / std::max<int64_t>(operations_per_token, 1);
  auto ways = ways_of("reference", {.threads = {1}, .quick = true}, w);
  if (!o.quick && affordable >= static_cast<int64_t>(ways.size()) * w.tokens() * 8)
    return ways;  // 8: sequences of a batch, about
  ways.resize(1);
  ways[0].rows = std::clamp<int64_t>(affordable, 2, w.tokens());
  return ways;
}

std::string Way::text() const {
  std::string pieces = chunk == 1                ? "token by token"
                       : !cache || chunk >= rows ? "at once"
                                                 : fmt::format("in chunks of {}", chunk);
  return fmt::format("{}, {} {}, {}, {}, cache {}, {}", kernels, threads, threads == 1 ? "thread" : "threads", pieces,
                     sequences == 1 ? "alone" : fmt::format("in a batch of {}", sequences), cache ? "on" : "off",
                     fused ? "fused" : "not fused");
}

}  // namespace ridgeline
