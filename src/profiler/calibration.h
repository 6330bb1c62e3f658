// This machine measured: what it reads, computes and holds, and what an op costs beside its work. Everything is measured in
// short bursts that take turns, round after round, so that whatever else the machine does happens to all of them.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cost/hardware.h"
#include "profiler/calibration_machine.h"

namespace ridgeline {

struct CalibrationOptions {
  int threads = 0;  // 0: one per processor this process may use
  // To measure for; half as much again, or 5 where that is more, if others hold the processors. Preparation comes before.
  double seconds = 15;
  std::function<void(double share)> progress{};  // called between bursts with the share that is done
};

// One quantity, one sample a round.
struct Reading {
  std::string name, unit;       // "memory"; FLOP/s, or OP/s of integers; B/s, s, or 1
  std::string method;           // how it was measured
  std::vector<double> samples;  // > 0
  double median() const;
  double best() const;    // the least of seconds, the greatest of anything else
  double spread() const;  // (greatest - least) / median
  double swing() const;   // the same of the middle half of the samples: what remains when a single burst was unlucky
  SourcedValue figure() const;  // the median, with method and number of samples as its source
};

struct StreamReading {
  int threads, streams;  // streams: of each thread
  Reading read;
};
struct KernelReading {
  Reading share;  // of the machine's limit in the same moment
  Reading rate;   // B/s of weights, as files have them, where `of_memory`, else of operations
  bool of_memory;
};

// What else happened while it was measured.
struct Surroundings {
  double scheduled = 1;                      // share of the time in which its busy threads had a processor
  double foreign = 0;                        // processors that other programs kept busy, on average
  double stolen = 0;                         // processors that other virtual machines took, on average
  double compute_swing = 0, read_swing = 0;  // Reading::swing of the peaks (the greatest) and of memory
  int processors = 1;
};
// Why the machine was not quiet, in words, one a reason; empty: it was.
std::vector<std::string> contention(const Surroundings&);

struct Calibration {
  Hardware hardware;  // complete: efficiencies, the measurement's date, and whether the machine was contended
  int threads = 1;
  std::map<Arithmetic, Reading> peaks;
  Reading memory, barrier, op, region;  // memory: all threads, eight streams each
  std::vector<Reading> caches;          // bandwidths, of those of hardware.caches
  std::vector<StreamReading> streams;   // by threads, then streams
  std::vector<KernelReading> kernels;   // empty: no kernel set runs here
  std::vector<std::string> contended;   // why; empty: quiet
  Surroundings surroundings;
  double seconds = 0;  // it all took
};

// Throws Error (unavailable) where the system gives neither threads nor memory.
Calibration calibrate(const CalibrationOptions&);

}  // namespace ridgeline
