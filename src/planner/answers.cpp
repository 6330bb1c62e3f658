#include "planner/answers.h"

#include <algorithm>
#include <cmath>

namespace ridgeline {

TimePair times_of(const Deployment& d, const BatchShape& batch) {
  return {d.seconds(batch, Times::ideal), d.seconds(batch, Times::calibrated)};
}

DecodePoint decode_point(const Deployment& d, int64_t sequences, int64_t context) {
  BatchShape batch = Deployment::alike(sequences, 1, context);
  StepTime t = d.step(batch);
  // A token is in the cache once its step is done.
  bool fits = d.memory().fits() && sequences <= d.memory().kv_tokens() / (context + 1);
  return {sequences, times_of(d, batch), t.limit(), fits, t.sum.intensity()};
}

std::vector<DecodePoint> decode_curve(const Deployment& d, int64_t context, std::span<const int64_t> sequences) {
  std::vector<DecodePoint> curve;
  for (int64_t n : sequences) curve.push_back(decode_point(d, n, context));
  return curve;
}

BatchingCeiling batching_ceiling(const Deployment& d, int64_t context) {
  // What one more sequence adds; all of it is linear in the number of sequences.
  auto added = [&](int64_t cached) {
    StepTime one = d.step(Deployment::alike(1, 1, cached)), two = d.step(Deployment::alike(2, 1, cached));
    auto kv = [](const StepTime& t) { return t.sum.bytes(Role::kv); };
    auto products = [](const StepTime& t) { return t.sum.matmul + t.sum.attention; };
    return std::pair(static_cast<double>(products(two) - products(one)), static_cast<double>(kv(two) - kv(one)));
  };
  BatchingCeiling c;
  std::tie(c.flops_per_token, c.kv_bytes) = added(context);
  c.ridge = d.hardware().ridge(d.math());
  c.intensity = c.kv_bytes > 0 ? c.flops_per_token / c.kv_bytes : INFINITY;
  // More context only adds bytes: the greatest that still reaches the ridge is found by halving.
  auto bound = [&](int64_t cached) {
    auto [flops, kv] = added(cached);
    return kv == 0 || flops / kv >= c.ridge;
  };
  int64_t low = 0, high = std::max<int64_t>(d.context(), 1);
  if (bound(high)) {
    c.compute_bound_below = high;
    return c;
  }
  while (high - low > 1) (bound((low + high) / 2) ? low : high) = (low + high) / 2;
  c.compute_bound_below = high + 1;  // with the new token itself
  return c;
}

std::vector<WeightOnly> weight_only(const Situation& s, int64_t context) {
  struct Way {
    const char* name;
    double bits;
  };
  // Groups of 128 with an fp16 scale, and a 16-bit zero point where asymmetric (GPTQ, AWQ); GGUF's blocks of 32.
  constexpr Way ways[] = {{"bf16", 16},
                          {"fp8, per channel", 8},
                          {"int8, groups of 128", 8 + 16.0 / 128},
                          {"int4, groups of 128", 4 + 16.0 / 128},
                          {"int4, groups of 128, zero points", 4 + 32.0 / 128},
                          {"q4_0, groups of 32", 4.5}};
  std::vector<WeightOnly> rows;
  Deployment plain(s);
  for (const Way& way : ways) {
    RooflineOptions o = plain.rank().options();
    o.layer_weight_bits = way.bits;
    StepTime t = Roofline(plain.program(), s.hardware, o).at(Deployment::alike(1, 1, context));
    double ridge = s.hardware.ridge(plain.math());
    rows.push_back({way.name, way.bits, {t.ideal, t.calibrated}, ridge * way.bits / 8 / 2});
  }
  return rows;
}

std::vector<Variant> variants(const Deployment& d, int64_t context, int64_t prompt) {
  std::vector<Variant> rows;
  auto add = [&](const char* name, const std::string& step, const PipelineOptions& passes, const BatchShape& batch) {
    Situation s = d.situation();
    s.passes = passes;
    Deployment other(std::move(s));
    StepTime t = other.step(batch), plain = d.step(batch);
    rows.push_back({name, step, times_of(other, batch), times_of(d, batch), t.sum.bytes(), plain.sum.bytes(),
                    t.sum.flops(), plain.sum.flops()});
  };
  PipelineOptions textbook = d.situation().passes, unfused = textbook, uncached = textbook;
  textbook.textbook = true;
  unfused.disabled.insert("fuse");
  uncached.disabled.insert("insert_kv_cache");
  BatchShape decode = Deployment::alike(1, 1, context), prefill = Deployment::alike(1, prompt, 0);
  add("naive attention, nothing fused", "prefill", textbook, prefill);
  add("naive attention, nothing fused", "decode", textbook, decode);
  add("nothing fused", "prefill", unfused, prefill);
  add("nothing fused", "decode", unfused, decode);
  add("no KV cache", "decode", uncached, decode);
  return rows;
}

std::vector<Split> splits(const Situation& s, int64_t context, int64_t prompt, int most) {
  std::vector<Split> rows;
  BatchShape decode = Deployment::alike(1, 1, context), prefill = Deployment::alike(1, prompt, 0);
  for (int tensor = 1; tensor <= most; tensor *= 2)
    for (int pipeline = 1; tensor * pipeline <= most; pipeline *= 2) {
      if (tensor > 1 && pipeline > 1) continue;  // pure ones are what is compared
      Situation now = s;
      now.tensor = tensor, now.pipeline = pipeline;
      try {
        Deployment d(now);
        Split row{.tensor = tensor, .pipeline = pipeline, .memory = d.memory()};
        row.decode = times_of(d, decode), row.prefill = times_of(d, prefill);
        StepTime t = d.step(decode);
        double own = t.calibrated - t.link_calibrated;
        row.link_share = row.decode.calibrated > 0 ? 1 - own / row.decode.calibrated : 0;
        row.reduce_bytes = d.rank().options().link_bytes_per_token;
        row.hop_bytes = static_cast<double>((pipeline - 1) * bytes_of(s.hardware.activations, s.config.facts().dim));
        rows.push_back(row);
      } catch (const Error& e) {
        if (e.id() != "impossible_split") throw;
      }
    }
  return rows;
}

}  // namespace ridgeline
