#include "instance/memory_fit.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/error.h"
#include "base/text_table.h"
#include "kv/block_pool.h"

namespace ridgeline {
namespace {

std::optional<int64_t> number(std::string_view text) {
  int64_t n = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), n).ec != std::errc()) return {};
  return n;
}
// The number of a file that holds nothing else; none where it is not there, or says "max".
std::optional<int64_t> number_in(const std::string& path) {
  std::ifstream in(path);
  std::string word;
  in >> word;
  return number(word);
}
// The number after a word at the beginning of a line: "MemAvailable:   123 kB".
std::optional<int64_t> number_after(const std::string& path, const std::string& key) {
  std::ifstream in(path);
  for (std::string word, rest; in >> word; std::getline(in, rest))
    if (word == key && in >> word) return number(word);
  return {};
}

// A group may take what its limit leaves beside what it holds, without the pages of files that would be given back.
std::optional<int64_t> left_in_group(const std::string& folder, const char* limit, const char* held,
                                     const char* files) {
  auto most = number_in(folder + limit), now = number_in(folder + held);
  if (!most || !now) return {};
  int64_t reclaimable = number_after(folder + "/memory.stat", files).value_or(0);
  return std::max<int64_t>(0, *most - std::max<int64_t>(0, *now - reclaimable));
}

// Of the process's group and all above it.
std::optional<int64_t> left_in_groups(const std::string& root) {
  std::optional<int64_t> least;
  std::ifstream in(root + "/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    bool unified = controllers.empty();
    if (!unified && controllers != "memory") continue;
    std::string top = root + (unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory");
    for (std::filesystem::path group = path;; group = group.parent_path()) {
      std::string folder = top + (group == "/" ? "" : group.string());
      auto left =
          unified ? left_in_group(folder, "/memory.max", "/memory.current", "inactive_file")
                  : left_in_group(folder, "/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file");
      if (left) least = std::min(*left, least.value_or(INT64_MAX));
      if (!group.has_relative_path()) break;
    }
  }
  return least;
}

constexpr int64_t beside = 32 << 20;  // address space of thread stacks, of alignment, of the allocator

std::optional<int64_t> left_of_address_space(const std::string& root) {
  rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur == RLIM_INFINITY) return {};
  auto pages = number_in(root + "/proc/self/statm");
  int64_t held = pages.value_or(0) * sysconf(_SC_PAGESIZE);
  return std::max<int64_t>(0, static_cast<int64_t>(std::min<rlim_t>(limit.rlim_cur, INT64_MAX)) - held - beside);
}

std::string mib(int64_t bytes) { return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / 1048576); }

}  // namespace

int64_t MemoryNeed::kv() const { return block * ((context + block_tokens - 1) / block_tokens); }

MemoryLimit memory_limit(const std::string& root) {
  MemoryLimit least;
  auto hold_to = [&](std::optional<int64_t> bytes, const char* name) {
    if (bytes && *bytes < least.bytes) least = {*bytes, name};
  };
  auto available = number_after(root + "/proc/meminfo", "MemAvailable:");
  hold_to(available ? std::optional(*available * 1024) : std::nullopt, "left on this machine (MemAvailable)");
  hold_to(left_in_groups(root), "left to this control group (memory.max)");
  hold_to(left_of_address_space(root), "left of the address space (ulimit -v)");
  return least;
}

void require_fit(const std::string& model, const MemoryNeed& need, const MemoryLimit& limit) {
  if (need.total() <= limit.bytes) return;
  TextTable table({{"memory", TextTable::Align::left}, {"needed"}});
  table.row({"weights", mib(need.weights)});
  if (need.block) table.row({fmt::format("KV cache, {} tokens", grouped(need.context)), mib(need.kv())});
  table.row({"scratch of a step", mib(need.scratch)});
  table.row({"together", mib(need.total())});
  table.row({limit.name, mib(limit.bytes)});
  int64_t left = limit.bytes - need.weights - need.scratch;
  int64_t tokens = need.block && left > 0 ? std::min(need.context, left / need.block * block_tokens) : 0;
  std::string help = tokens ? fmt::format("  -c {} fits", tokens)
                            : "  no context fits: use a file of a smaller type, or a smaller model";
  fail(ExitCode::unavailable, "does_not_fit", "{} does not fit in memory\n{}{}", model, table.text(), help);
}

}  // namespace ridgeline
