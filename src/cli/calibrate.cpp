#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/limits.h"
#include "base/printable.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "profiler/calibration_file.h"
#include "profiler/calibration_text.h"

namespace ridgeline {
namespace {

struct CalibrateOptions {
  CalibrationOptions measure;
  std::string file;
  bool json = false;
};

void calibrate_command(CalibrateOptions o) {
  bool usual = o.file.empty();
  if (usual) o.file = calibration_path();
  require_calibration_writable(o.file);  // before the time is spent
  bool progress = is_terminal(stderr);
  if (progress)
    o.measure.progress = [last = -1](double share) mutable {
      int percent = static_cast<int>(100 * share);
      if (percent != last)
        fmt::print(stderr, "\r\x1b[K{}measuring ... {} %{}", style(Style::dim, stderr), percent,
                   style(Style::plain, stderr));
      last = percent;
    };
  Calibration c = calibrate(o.measure);
  if (progress) fmt::print(stderr, "\r\x1b[K");
  save_calibration(c.hardware, o.file);
  if (o.json) {
    auto j = calibration_json(c);
    j["file"] = o.file;
    return fmt::print("{}\n", j.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  }
  fmt::print("{}\nwritten to {}; it is used by: ridgeline plan MODEL --hw {}\n", calibration_text(c), escaped(o.file),
             usual ? "here" : escaped(o.file));
}

}  // namespace

void add_calibrate(CLI::App& app) {
  auto* c = app.add_subcommand("calibrate", "Measure this machine: memory, caches, arithmetic, and what an op costs");
  auto o = std::make_shared<CalibrateOptions>();
  c->add_option("-t,--threads", o->measure.threads, "Threads; 0: one per processor")
      ->option_text("N [0]")
      ->check(CLI::Range(int64_t{0}, limits::threads))
      ->group("Measuring");
  c->add_option("--seconds", o->measure.seconds, "How long to measure; more seconds, more repetitions")
      ->option_text("N [15]")
      ->check(CLI::Range(0.1, 600.0))
      ->group("Measuring");
  c->add_option("-o,--output", o->file, "The hardware file; else the one that --hw here reads")
      ->option_text("FILE [~/.cache/ridgeline/hardware.json]")
      ->group("Output");
  c->add_flag("--json", o->json, "The same and every sample as JSON")->group("Output");
  c->footer(
      "Examples:\n"
      "  ridgeline calibrate                               once; do nothing else meanwhile\n"
      "  ridgeline plan llama-3.2-1b --hw here             predictions for this machine\n"
      "  ridgeline calibrate -t 1 -o one-thread.json       another file; plan --hw one-thread.json\n"
      "\n"
      "Bursts of all measurements take turns, so that what else the machine does happens to all of them. Where it\n"
      "does something else, that is said, and kept in the file.");
  c->callback([o] { calibrate_command(*o); });
}

}  // namespace ridgeline
