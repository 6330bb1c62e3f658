// The file that keeps what was measured of this machine, and how far it can be trusted now.
#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "cost/hardware.h"

namespace ridgeline {

// $XDG_CACHE_HOME/ridgeline/hardware.json, else ~/.cache/ridgeline/hardware.json. Throws Error (bad_config, "no_home") where
// neither variable is set.
std::string calibration_path();

// Throws Error (usage, "not_a_hardware_file") where something else is there, (io, "write_failed") where no file can be made.
// The folder of calibration_path() is made first, and what is there is always replaced.
void require_calibration_writable(const std::string& path);
// Takes the place of what is there at once. Throws as above.
void save_calibration(const Hardware&, const std::string& path);
// Throws Error (cannot_open, "not_calibrated") where there is none, and what parse_hardware throws; both name the command that
// makes one.
Hardware load_calibration(const std::string& path);

std::string date_text(std::chrono::system_clock::time_point);  // ISO 8601, UTC: "2026-11-27T20:14:03Z"
std::string age_text(
    std::string_view date,
    std::chrono::system_clock::time_point);  // "3 days ago"; of a date that is none: "at an unknown time"

// How far the figures of a file can be trusted on a machine with this processor.
struct Provenance {
  std::string note;  // "measured 3 days ago on AMD EPYC, 2 threads"
  std::vector<std::string>
      warnings;  // another processor, older than 30 days, measured while other work was on the machine
};
Provenance provenance_of(const Hardware&, std::string_view processor, std::chrono::system_clock::time_point now);

}  // namespace ridgeline
