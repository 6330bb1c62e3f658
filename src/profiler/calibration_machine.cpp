#include "profiler/calibration_machine.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "instance/instance.h"

namespace ridgeline {
namespace {

std::string line_of(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

// "32768K"; 0 where it is none.
int64_t size_of(const std::string& text) {
  std::istringstream in(text);
  int64_t n = 0;
  char unit = 0;
  in >> n >> unit;
  return n << (unit == 'K' ? 10 : unit == 'M' ? 20 : unit == 'G' ? 30 : 0);
}

// Of processor 0, and how many such caches all of them have. A process that may use few of them is taken to have as many as
// it has processors at most.
CacheSize from_sysfs(const std::string& root, int level, int processors) {
  namespace fs = std::filesystem;
  CacheSize cache{.name = "L" + std::to_string(level), .source = "sysfs"};
  std::set<std::string> sharing;  // "0-1": the processors of one cache
  std::error_code none;
  for (int cpu = 0;; ++cpu) {
    std::string folder = root + "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache";
    if (!fs::is_directory(folder, none)) break;
    for (int index = 0;; ++index) {
      std::string at = folder + "/index" + std::to_string(index);
      if (!fs::is_directory(at, none)) break;
      if (line_of(at + "/level") != std::to_string(level) || line_of(at + "/type") == "Instruction") continue;
      if (!cache.bytes) cache.bytes = size_of(line_of(at + "/size"));
      sharing.insert(line_of(at + "/shared_cpu_list"));
    }
  }
  cache.instances = std::max(1, std::min(static_cast<int>(sharing.size()), processors));
  return cache;
}

CacheSize from_sysconf(int level, int processors) {
  long bytes = sysconf(level == 2 ? _SC_LEVEL2_CACHE_SIZE : _SC_LEVEL3_CACHE_SIZE);
  return {"L" + std::to_string(level), bytes > 0 ? bytes : 0, level == 2 ? processors : 1, "sysconf"};
}

}  // namespace

std::string processor_name(const std::string& root) {
  std::ifstream in(root + "/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name"))
      if (size_t at = line.find(": "); at != line.npos && at + 2 < line.size()) return line.substr(at + 2);
  return "unknown processor";
}

Machine this_machine(const std::string& root) {
  Machine m{.processor = processor_name(root), .processors = available_processors()};
  std::ifstream in(root + "/proc/meminfo");
  for (std::string key, rest; in >> key; std::getline(in, rest))
    if (int64_t kib = 0; key == "MemTotal:" && in >> kib) m.memory = kib << 10;
  if (!m.memory) m.memory = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  for (int level : {2, 3}) {
    CacheSize cache = from_sysfs(root, level, m.processors);
    if (!cache.bytes && root.empty()) cache = from_sysconf(level, m.processors);
    if (cache.bytes) m.caches.push_back(cache);
  }
  return m;
}

ProcessorTime processor_time(const std::string& root) {
  std::ifstream in(root + "/proc/stat");
  std::string word;
  double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, soft = 0, stolen = 0;
  if (!(in >> word >> user >> nice >> system >> idle >> waiting >> interrupts >> soft >> stolen) || word != "cpu")
    return {};
  auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  return {(user + nice + system + interrupts + soft) / ticks, stolen / ticks};
}

}  // namespace ridgeline
