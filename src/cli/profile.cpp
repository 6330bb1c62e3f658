#include "profiler/profile.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/printable.h"
#include "cli/commands.h"
#include "cli/hardware_argument.h"
#include "cli/model_argument.h"
#include "cli/model_options.h"
#include "cli/output_file.h"
#include "cli/terminal.h"
#include "profiler/profile_diff.h"
#include "profiler/profile_picture.h"
#include "profiler/profile_report.h"
#include "profiler/trace.h"

namespace ridgeline {
namespace {

constexpr int traced_steps = 8;  // a screen of them, and a file of some megabytes

struct ProfileCommand {
  ModelOptions model;
  std::string batch = "1@512", hardware, trace, svg;
  std::vector<std::string> diff;
  std::optional<double> fail_above;  // percent
  int repetitions = 5;
  bool json = false;
};

void run_difference(const ProfileCommand& o) {
  if (!o.model.path.empty())
    fail(ExitCode::usage, "model_and_diff", "--diff compares two files, and {} would be a third", o.model.path);
  ProfileDifference d = compare(read_profile(o.diff[0]), read_profile(o.diff[1]));
  write_out(o.json ? difference_json(d).dump(2) + "\n" : difference_text(d));
  if (o.fail_above && 100 * d.regression() > *o.fail_above)
    fail(ExitCode::check_failed, "slower", "slower by {:.1f} % of the step, and {} % are allowed: {}",
         100 * d.regression(), *o.fail_above, d.regressed() ? escaped(d.regressed()->name) : "the step as a whole");
}

void run(ProfileCommand o) {
  if (!o.diff.empty()) return run_difference(o);
  if (o.model.path.empty())
    fail(ExitCode::usage, "no_model", "profile needs a model, or --diff and two files (see: ridgeline profile --help)");
  ProfileOptions options{.batch = BatchShape::parse(o.batch), .repetitions = o.repetitions};
  if (!o.trace.empty()) options.traced_steps = traced_steps;
  if (!o.hardware.empty()) options.hardware = hardware_argument(o.hardware);
  if (!o.model.instance.context)
    o.model.instance.context = std::max(cache_tokens(options.batch), o.svg.empty() ? 0 : prompt_step_tokens);
  auto model = Instance::open(model_path(o.model.path), o.model.instance);
  print_opened(*model);
  Profile p = profile(*model, options);
  write_out(o.json ? profile_json(p).dump(2) + "\n" : profile_text(p));
  if (!o.trace.empty()) write_output(o.trace, trace_json(p));
  if (!o.svg.empty()) {
    ProfileOptions prompt = options;
    prompt.batch = {{{prompt_step_tokens, 0, 1}}};
    prompt.traced_steps = 0;
    std::vector<Profile> both;
    both.push_back(std::move(p));
    both.push_back(profile(*model, prompt));
    write_output(o.svg, profile_picture(both));
  }
}

}  // namespace

void add_profile(CLI::App& app) {
  auto* c = app.add_subcommand("profile", "Time a model's step op by op, beside what this machine's limits predict");
  auto o = std::make_shared<ProfileCommand>();
  add_model_options(*c, o->model);
  c->get_option("model")->required(false);  // --diff needs none
  c->add_option("--batch", o->batch, "The step: [COUNTx]NEW[@CACHED],...; 1@512 is one new token on 512 cached")
      ->option_text("BATCH [1@512]")
      ->group("Step");
  c->add_option("-r,--repetitions", o->repetitions, "Rounds of steps, about 100 ms each, between bursts of the limits")
      ->option_text("N [5]")
      ->check(CLI::Range(1, 1'000))
      ->group("Step");
  c->add_option("--hw", o->hardware, "A hardware file of this machine; without it its limits are measured in the run")
      ->option_text("FILE")
      ->group("Step");
  auto* diff = c->add_option("--diff", o->diff, "Compare two files that --json wrote: which op became slower")
                   ->expected(2)
                   ->option_text("BEFORE AFTER")
                   ->group("Compare");
  c->add_option("--fail-above", o->fail_above, "With --diff: exit 1 where it became slower by more, in % of the step")
      ->option_text("PERCENT")
      ->check(CLI::Range(0.0, 1e6))
      ->needs(diff)
      ->group("Compare");
  c->add_option("--trace", o->trace, "Write a timeline of some steps, for ui.perfetto.dev: a track a worker")
      ->option_text("FILE")
      ->group("Output");
  c->add_option("--svg", o->svg, "Draw the measured ops on the roofline, beside those of a prompt of 512 tokens")
      ->option_text("FILE")
      ->group("Output");
  c->add_flag("--json", o->json, "The same numbers as JSON, with every op")->group("Output");
  c->footer(
      "Examples:\n"
      "  ridgeline profile model.gguf                         one new token on 512 cached\n"
      "  ridgeline profile model.gguf --batch 512             a prompt\n"
      "  ridgeline profile model.gguf --batch 8x1@512,64      a mixed step\n"
      "  ridgeline profile model.gguf --trace step.json       a timeline for ui.perfetto.dev\n"
      "  ridgeline profile model.gguf --svg roofline.svg      measured ops on the roofline\n"
      "  ridgeline profile model.gguf --json > a.json         and, after a change, > b.json\n"
      "  ridgeline profile --diff a.json b.json --fail-above 5\n"
      "\n"
      "An op's time runs from the barrier before it until the last worker is done; waiting is how much of\n"
      "that the workers spend waiting for the last one, on average. Ideal is what the op takes at the limits\n"
      "of this machine, measured in bursts between the steps; recoverable is what lies between the two.");
  c->callback([o] { run(*o); });
}

}  // namespace ridgeline
