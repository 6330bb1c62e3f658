#include "base/team.h"

#include <gtest/gtest.h>
#include <xmmintrin.h>

#include <algorithm>

namespace ridgeline {
namespace {

// 8 workers are more than the cores of a small machine: waiting must then give way, not spin forever.
class TeamOf : public testing::TestWithParam<int> {};

TEST_P(TeamOf, RunsEveryWorkerOnceARegion) {
  Team team(GetParam());
  ASSERT_EQ(team.size(), GetParam());
  std::vector<int> runs(static_cast<size_t>(team.size()));
  for (int region = 0; region < 200; ++region)
    team.run([&](Worker& w) {
      EXPECT_EQ(w.count(), GetParam());
      ++runs[static_cast<size_t>(w.index())];
    });
  for (int n : runs) EXPECT_EQ(n, 200);
}

TEST_P(TeamOf, BarrierShowsWhatTheOthersWrote) {
  Team team(GetParam());
  std::vector<int> written(static_cast<size_t>(team.size()));
  std::atomic<int> wrong = 0;
  for (int region = 0; region < 3; ++region)
    team.run([&](Worker& w) {
      for (int phase = 1; phase <= 200; ++phase) {
        written[static_cast<size_t>(w.index())] = 1000 * region + phase;
        w.barrier();
        for (int other : written) wrong += other != 1000 * region + phase;
        w.barrier();
      }
    });
  EXPECT_EQ(wrong, 0);
}

TEST_P(TeamOf, ClaimHandsOutEveryItemOnce) {
  Team team(GetParam());
  for (int region = 0; region < 20; ++region)
    for (int64_t items : {0, 1, 7, 100}) {
      constexpr int phases = 9;  // more than the team keeps counters for
      std::vector<std::atomic<int>> claimed(static_cast<size_t>(items) * phases);
      team.run([&](Worker& w) {
        for (int phase = 0; phase < phases; ++phase) {
          if (phase == region % phases) w.barrier();  // a phase in which nothing is claimed
          w.claim(items, 1 + phase, [&](int64_t begin, int64_t end) {
            EXPECT_LE(end - begin, 1 + phase);
            for (int64_t i = begin; i < end; ++i) ++claimed[static_cast<size_t>(phase * items + i)];
          });
          w.barrier();
        }
      });
      for (auto& n : claimed) ASSERT_EQ(n, 1);
    }
}

TEST_P(TeamOf, SharesAreWholeStepsInOrder) {
  Team team(GetParam());
  for (int64_t n : {0, 1, 5, 64, 1000})
    for (int64_t step : {1, 32, 2048}) {
      std::vector<Worker::Range> shares(static_cast<size_t>(team.size()));
      team.run([&](Worker& w) { shares[static_cast<size_t>(w.index())] = w.share(n, step); });
      int64_t at = 0;
      for (auto [begin, end] : shares) {
        EXPECT_EQ(begin, at);
        EXPECT_LE(begin, end);
        EXPECT_TRUE(begin % step == 0 || begin == n);
        at = end;
      }
      EXPECT_EQ(at, n);
    }
}

TEST_P(TeamOf, ComputesWithoutDenormalsInsideARegionOnly) {
  Team team(GetParam());
  unsigned before = _mm_getcsr();
  volatile float least = 0x1p-126f;
  std::atomic<int> flushed = 0;
  team.run([&](Worker&) { flushed += least * 0.5f == 0; });
  EXPECT_EQ(flushed, GetParam());
  EXPECT_EQ(_mm_getcsr(), before);
}

TEST_P(TeamOf, MemoryIsAlignedAndApart) {
  Team team(GetParam());
  team.reserve_shared(1000);
  std::vector<std::byte*> scratch(static_cast<size_t>(team.size())), shared(scratch);
  for (size_t bytes : {1, 500, 100'000}) {
    team.run([&](Worker& w) {
      auto i = static_cast<size_t>(w.index());
      scratch[i] = w.scratch(bytes), shared[i] = w.shared();
      std::fill_n(scratch[i], bytes, std::byte(w.index()));
      w.barrier();
      for (size_t b = 0; b < bytes; ++b) ASSERT_EQ(scratch[i][b], std::byte(w.index()));
    });
    for (size_t i = 0; i < scratch.size(); ++i) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(scratch[i]) % 64, 0u);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(shared[i]) % 64, 0u);
      EXPECT_EQ(shared[i], shared[0]);
    }
  }
}

TEST_P(TeamOf, WakesAfterARest) {
  Team team(GetParam());
  std::atomic<int> runs = 0;
  for (int region = 0; region < 5; ++region) {
    std::this_thread::sleep_for(std::chrono::milliseconds(region * 10));  // long enough for the workers to sleep
    team.run([&](Worker& w) {
      if (w.index() == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));  // and for them to sleep in a barrier
      ++runs;
    });
  }
  EXPECT_EQ(runs, 5 * GetParam());
}

// Fetching ahead reads no byte outside what was named (ASan would tell), and outlives neither its list nor its region.
TEST_P(TeamOf, FetchesAheadOnlyWhatIsThere) {
  Team team(GetParam());
  for (size_t size : {1u, 63u, 4095u, 4096u, 100000u}) {
    std::vector<std::byte> memory(size), more(3);
    std::vector<std::span<const std::byte>> parts = {memory, {}, more};
    std::atomic<int> met = 0;
    team.run([&](Worker& w) {
      for (int i = 0; i < 300; ++i) {
        w.will_need(parts);
        if (w.index() == 0) std::this_thread::yield();  // the others wait, and fetch
        w.barrier();
      }
      ++met;
    });
    EXPECT_EQ(met, GetParam());
  }
  std::atomic<int> after = 0;
  team.run([&](Worker& w) {
    w.barrier();  // the lists above are gone
    ++after;
  });
  EXPECT_EQ(after, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Threads, TeamOf, testing::Values(1, 2, 3, 8),
                         [](const auto& p) { return std::to_string(p.param); });

TEST(Team, OfNoneIsOfOne) { EXPECT_EQ(Team(0).size(), 1); }

}  // namespace
}  // namespace ridgeline
