#include "planner/targets.h"

#include <algorithm>
#include <cmath>

namespace ridgeline {
namespace {

constexpr int64_t most_sequences = 1 << 16;

// The greatest n in [0, most] for which `holds`, where that is true up to some n and false above it.
template <class F>
int64_t greatest_that(int64_t most, F holds) {
  int64_t low = 0, high = 1;
  while (high <= most && holds(high)) low = high, high *= 2;
  high = std::min(high, most + 1);
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    (holds(middle) ? low : high) = middle;
  }
  return low;
}

double decode_seconds(const Deployment& d, int64_t context, Times which) {
  return d.seconds(Deployment::alike(1, 1, context), which);
}

}  // namespace

BatchForTpot batch_for_tpot(const Deployment& d, double seconds, int64_t context, Times which) {
  BatchForTpot b{.seconds = seconds};
  b.by_time = greatest_that(most_sequences,
                            [&](int64_t n) { return d.seconds(Deployment::alike(n, 1, context), which) <= seconds; });
  b.by_memory = d.memory().kv_per_token ? d.memory().kv_tokens() / (context + 1) : most_sequences;
  if (int64_t n = b.sequences()) b.at = decode_point(d, n, context);
  return b;
}

ForRate for_rate(const Situation& s, double rate, int64_t context, Times which) {
  ForRate r{.rate = rate};
  Deployment d(s);
  double wanted = 1 / rate;
  r.now = 1 / decode_seconds(d, context, which);
  const BatchShape step = Deployment::alike(1, 1, context);
  auto time = [&](const Hardware& h, const RooflineOptions& o) {
    StepTime t = Roofline(d.program(), h, o).at(step);
    return which == Times::ideal ? t.ideal : t.calibrated;
  };
  auto at_bandwidth = [&](double times) {
    Hardware h = s.hardware;
    h.bandwidth.value *= times;
    return time(h, d.rank().options());
  };
  r.bandwidth = INFINITY;
  if (at_bandwidth(1024) <= wanted) {
    double low = 1.0 / 1024, high = 1024;
    for (int i = 0; i < 40; ++i) (at_bandwidth(std::sqrt(low * high)) <= wanted ? high : low) = std::sqrt(low * high);
    r.bandwidth = high * s.hardware.bandwidth.value;
  }
  auto at_bits = [&](double bits) {
    RooflineOptions o = d.rank().options();
    o.layer_weight_bits = bits;
    return time(s.hardware, o);
  };
  if (at_bits(1) <= wanted) {
    double low = 1, high = 32;
    for (int i = 0; i < 30; ++i) (at_bits((low + high) / 2) <= wanted ? low : high) = (low + high) / 2;
    r.bits = low;
  }
  for (int devices = 1; devices <= 64; devices *= 2) {
    if (devices > 1 && !s.hardware.link) break;
    try {
      Situation split = s;
      split.tensor = devices;
      if (decode_seconds(Deployment(std::move(split)), context, which) > wanted) continue;
      r.devices = devices;
      break;
    } catch (const Error& e) {
      if (e.id() != "impossible_split") throw;
    }
  }
  return r;
}

std::vector<Fit> ways_to_fit(const Situation& s, int64_t context, int most_devices) {
  std::vector<Fit> ways;
  for (DType type :
       {DType::f32, DType::bf16, DType::q8_0, DType::q6_K, DType::q5_K, DType::q4_K, DType::q3_K, DType::q2_K}) {
    Fit way{.type = std::string(name_of(type)), .devices = 0};
    for (int devices = 1; devices <= most_devices; devices *= 2) {
      if (devices > 1 && !s.hardware.link) break;
      Situation now = s;
      now.tensor = devices, now.pipeline = 1;
      now.passes.retype.matrix = [type](const std::string&, DType) { return type; };
      try {
        Deployment d(std::move(now));
        way.memory = d.memory();
        if (!d.memory().fits() || d.memory().kv_tokens() < context) continue;
        way.devices = devices, way.context = std::min(d.memory().kv_tokens(), d.context());
        break;
      } catch (const Error& e) {
        if (e.id() != "impossible_split" && e.id() != "type_shape") throw;
      }
    }
    ways.push_back(std::move(way));
  }
  return ways;
}

}  // namespace ridgeline
