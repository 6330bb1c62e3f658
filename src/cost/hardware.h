// A machine as the roofline sees it: what it computes, reads and holds, each figure with its source. Machines are JSON files
// (src/cost/hardware, built into the program; `ridgeline calibrate` writes one of the machine at hand).
#pragma once
#include <nlohmann/json_fwd.hpp>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/dtype.h"

namespace ridgeline {

// What the multiply-adds of a matrix product are made of.
enum class Arithmetic : uint8_t { fp32, bf16, fp8, int8, fp4, int4 };
inline constexpr int arithmetic_count = 6;
std::string_view name_of(Arithmetic);
std::optional<Arithmetic> arithmetic_named(std::string_view);

// One figure of a machine, with where it is from; in the unit of its place: FLOP/s, B/s, B, s, or 1 for a fraction.
struct SourcedValue {
  double value = 0;
  std::string source;                 // data sheet, measurement, or what it is derived from
  bool checked = true;                // false: nobody here could hold it against its source
  std::optional<double> spread = {};  // measured: (greatest - least) / median over repetitions
};

struct CacheLevel {
  std::string name;        // "L2"
  SourcedValue bytes;      // of all of them together
  SourcedValue bandwidth;  // B/s, all threads reading
};

// What real kernels and launches make of a machine, measured or fitted. Fractions are of the figures above; times are
// added to what the roofline says: they overlap with nothing.
struct Efficiency {
  SourcedValue compute{1}, memory{1}, link{1};    // fractions
  std::map<Arithmetic, SourcedValue> compute_of;  // of products in one arithmetic, where it differs
  std::optional<SourcedValue> attention;          // of compute, in attention, where it differs
  // How far arithmetic and memory wait for each other within an op: at 0 they overlap and the longer of the two counts, at 1
  // they add up; between, t = (a^(1/o) + m^(1/o))^o.
  SourcedValue overlap;
  SourcedValue step, layer, op;  // seconds a step, a layer of it, an op
  SourcedValue link_latency;     // seconds a collective
  // Of the time that others' prompts take, the fraction that requests in decode wait; the rest falls before they start,
  // or between.
  SourcedValue interference{1};

  double compute_with(Arithmetic a) const {
    auto at = compute_of.find(a);
    return at == compute_of.end() ? compute.value : at->second.value;
  }
};

// When and how a file was measured.
struct Measurement {
  std::string date, processor;  // ISO 8601; as the system calls it
  int threads = 0;
  bool contended = false;  // other work was on the machine
};

struct Hardware {
  enum class Kind : uint8_t { gpu, cpu };
  std::string name, title, note;
  std::vector<std::string> aliases;
  Kind kind = Kind::gpu;
  DType activations = DType::bf16;            // what its engines store activations in
  std::map<Arithmetic, SourcedValue> peaks;   // FLOP/s, dense
  SourcedValue bandwidth, capacity;           // of memory: B/s, B
  std::vector<CacheLevel> caches;             // smallest first
  std::optional<SourcedValue> link;           // B/s to other devices, per device and direction
  std::optional<Efficiency> efficiency;       // of the engine meant: measured on the machine, or one of `engines`
  std::map<std::string, Efficiency> engines;  // what is known of engines on it, by name
  std::optional<Measurement> measured;

  // The peak for an arithmetic, or of the nearest wider one that the machine has (bf16, then fp32, then any): a machine
  // without fp8 computes fp8 weights in bf16.
  struct Peak {
    Arithmetic arithmetic;
    SourcedValue figure;
  };
  Peak peak(Arithmetic wanted) const;
  // FLOP per byte where the roof bends.
  double ridge(Arithmetic a) const { return peak(a).figure.value / bandwidth.value; }
};

// Reads a hardware file. Errors (bad_config, "hardware_file"): no JSON, a figure without a unit or source, another unit than
// its place wants, a peak that counts sparsity, a number that is none, a key that is not known.
Hardware parse_hardware(std::string_view text, std::string_view what);
nlohmann::ordered_json hardware_json(const Hardware&);

// The files built in, by name.
std::span<const Hardware> hardware_catalogue();
const Hardware* find_hardware(std::string_view name);  // by name or alias; nullptr: none
// Throws Error (usage, "unknown_hardware") naming the nearest.
const Hardware& hardware_named(std::string_view name);

}  // namespace ridgeline
