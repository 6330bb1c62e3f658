// What the system says of the machine: its processor, its caches, its memory, and what else it is doing.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace ridgeline {

struct CacheSize {
  std::string name;    // "L2"
  int64_t bytes = 0;   // of one
  int instances = 1;   // of them among the processors this process may use
  std::string source;  // "sysfs" or "sysconf"
  int64_t all() const { return bytes * instances; }
};

struct Machine {
  std::string processor;          // "AMD EPYC 9654 96-Core Processor"; "unknown processor" where the system has no name
  int processors = 1;             // that this process may use
  int64_t memory = 0;             // bytes, MemTotal
  std::vector<CacheSize> caches;  // L2 and L3, as far as there are any
};
// root: put before /proc and /sys.
Machine this_machine(const std::string& root = "");
std::string processor_name(const std::string& root = "");

// Seconds that all processors of the machine have spent since it started, in steps of 10 ms.
struct ProcessorTime {
  double busy = 0;    // for any process
  double stolen = 0;  // wanted, and given to another virtual machine
};
// All zero where the system does not say.
ProcessorTime processor_time(const std::string& root = "");

}  // namespace ridgeline
