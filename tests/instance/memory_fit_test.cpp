#include "instance/memory_fit.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/scratch_folder.h"

namespace ridgeline {
namespace {

// A made-up /proc and /sys below a folder.
class MemoryLimits : public testing::Test {
 protected:
  void file(const std::string& path, const std::string& content) {
    std::filesystem::create_directories(std::filesystem::path(folder_ / path).parent_path());
    folder_.write(path, content);
  }
  MemoryLimit limit() { return memory_limit(folder_.path()); }
  ScratchFolder folder_;
};

TEST_F(MemoryLimits, TheLeastOfMachineAndGroupsDecides) {
  EXPECT_EQ(limit().bytes, INT64_MAX) << "where nothing is said, nothing is refused";
  file("proc/meminfo", "MemTotal:  16000 kB\nMemFree:  100 kB\nMemAvailable:   8000 kB\nBuffers: 1 kB\n");
  EXPECT_EQ(limit().bytes, 8'000 * 1024);
  EXPECT_NE(limit().name.find("MemAvailable"), std::string::npos);

  file("proc/self/cgroup", "0::/outer/inner\n");
  file("sys/fs/cgroup/outer/inner/memory.max", "max\n");
  file("sys/fs/cgroup/outer/inner/memory.current", "100\n");
  EXPECT_EQ(limit().bytes, 8'000 * 1024);
  file("sys/fs/cgroup/outer/memory.max", "5000000\n");
  file("sys/fs/cgroup/outer/memory.current", "2000000\n");
  EXPECT_EQ(limit().bytes, 3'000'000) << "the group above";
  file("sys/fs/cgroup/outer/memory.stat", "anon 5\ninactive_file 500000\nfile 3\n");
  EXPECT_EQ(limit().bytes, 3'500'000) << "pages of files are given back";
  EXPECT_NE(limit().name.find("control group"), std::string::npos);
  file("sys/fs/cgroup/outer/memory.current", "9000000\n");
  EXPECT_EQ(limit().bytes, 0);
}

TEST_F(MemoryLimits, TheOldGroupsToo) {
  file("proc/self/cgroup", "11:cpu,cpuacct:/x\n5:memory:/box\n0::/\n");
  file("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "7000\n");
  file("sys/fs/cgroup/memory/box/memory.usage_in_bytes", "3000\n");
  file("sys/fs/cgroup/memory/box/memory.stat", "total_inactive_file 1000\n");
  EXPECT_EQ(limit().bytes, 5'000);
}

TEST_F(MemoryLimits, NonsenseIsNoLimit) {
  file("proc/meminfo", "MemAvailable:\n");
  file("proc/self/cgroup", "nonsense\n::\n0::relative\n");
  EXPECT_EQ(limit().bytes, INT64_MAX);
}

TEST(MemoryFit, SaysWhatIsNeededAndWhatWouldFit) {
  MemoryNeed need{.weights = 100 << 20, .scratch = 10 << 20, .block = 1 << 20, .context = 4096};  // 32 tokens a block
  EXPECT_EQ(need.kv(), 128 << 20);
  EXPECT_NO_THROW(require_fit("m", need, {need.total(), "left"}));
  auto refused = [&](int64_t mib) -> std::string {
    try {
      require_fit("m", need, {mib << 20, "left on this machine"});
      return "";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::unavailable);
      return e.what();
    }
  };
  for (const char* part :
       {"weights                 100.0 MiB", "KV cache, 4,096 tokens  128.0 MiB", "scratch of a step        10.0 MiB",
        "together                238.0 MiB", "left on this machine    160.0 MiB", "-c 1600 fits"})
    EXPECT_NE(refused(160).find(part), std::string::npos) << part << "\nis not in\n" << refused(160);
  EXPECT_NE(refused(110).find("no context fits"), std::string::npos);
  EXPECT_NE(refused(0).find("no context fits"), std::string::npos);
  need.context = 1600;
  EXPECT_EQ(refused(160), "") << "what it says fits does";
}

}  // namespace
}  // namespace ridgeline
