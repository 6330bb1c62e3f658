#include "planner/plan.h"

#include <algorithm>

#include "base/limits.h"

namespace ridgeline {
namespace {

void check(const PlanRequest& r) {
  auto within = [](std::string_view what, int64_t n, int64_t least, int64_t most) {
    if (n < least || n > most) fail(ExitCode::usage, "plan_size", "{} of {}; expected {} to {}", what, n, least, most);
  };
  within("a context", r.context, 0, limits::context);
  within("a prompt", r.prompt, 1, limits::context);
  within("an answer", r.load.answer, 1, limits::context);
  for (int64_t n : r.batches) within("a batch", n, 1, limits::batch_sequences);
  if (r.tpot && !(*r.tpot > 0)) fail(ExitCode::usage, "plan_size", "a time of {} s a token", *r.tpot);
  if (r.rate && !(*r.rate > 0)) fail(ExitCode::usage, "plan_size", "a rate of {} tokens/s", *r.rate);
}

}  // namespace

Plan make_plan(PlanRequest request) {
  Plan p{.request = std::move(request)};
  PlanRequest& r = p.request;
  const Situation& s = r.situation;
  if (!r.load.prompt) r.load.prompt = r.prompt ? r.prompt : std::min<int64_t>(context_of(s.config), 1024);
  if (!r.prompt) r.prompt = std::min<int64_t>(context_of(s.config), 8192);
  check(r);
  p.deployment = std::make_shared<Deployment>(s);
  const Deployment& d = *p.deployment;
  p.times = s.hardware.efficiency ? Times::calibrated : Times::ideal;
  if (r.step.sequences.empty()) r.step = Deployment::alike(1, 1, r.context);

  p.step = d.step(r.step);
  p.alone = decode_point(d, 1, r.context);
  p.decode = decode_curve(d, r.context, r.batches);
  BatchShape prompt = Deployment::alike(1, r.prompt, 0);
  p.prefill = times_of(d, prompt), p.prefill_step = d.step(prompt);
  p.mixed_batch = Deployment::alike(32, 1, r.context);
  p.mixed_batch.sequences.push_back({512, 512, 1});
  p.mixed = times_of(d, p.mixed_batch);
  p.ceiling = batching_ceiling(d, r.context);
  p.weight_only = weight_only(s, r.context);
  p.variants = variants(d, r.context, r.prompt);
  if (s.hardware.link && s.devices() == 1) p.splits = splits(s, r.context, r.prompt, 8);
  int64_t room = d.paged_sequences(static_cast<double>(r.load.prompt + r.load.answer / 2));
  for (int64_t n : r.batches)
    if (n <= room) p.serving.push_back(serving_point(d, {n, r.load.prompt, r.load.answer}, p.times));
  if (r.draft) {
    Deployment draft(*r.draft);
    for (int64_t n : {1, 8, 32, 64, 128, 256})
      for (double acceptance : {0.6, 0.7, 0.8, 0.9})
        p.speculation.push_back(best_speculation(d, draft, p.times, n, r.context, acceptance));
  }
  if (r.tpot) p.for_tpot = batch_for_tpot(d, *r.tpot, r.context, p.times);
  if (r.rate) p.for_rate = for_rate(s, *r.rate, r.context, p.times);
  if (r.fit) p.fits = ways_to_fit(s, r.context);
  return p;
}

}  // namespace ridgeline
