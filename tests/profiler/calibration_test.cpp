#include "profiler/calibration.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/scratch_folder.h"
#include "profiler/calibration_bursts.h"
#include "profiler/calibration_text.h"

namespace ridgeline {
namespace {

void expect_whole(const Reading& r) {
  EXPECT_FALSE(r.samples.empty()) << r.name;  // three, where the machine is not too busy for that
  for (double x : r.samples) EXPECT_GT(x, 0) << r.name;
  EXPECT_FALSE(r.method.empty()) << r.name;
  EXPECT_GE(r.spread(), r.swing()) << r.name;
  SourcedValue f = r.figure();
  EXPECT_NEAR(f.value, r.median(), 1e-4 * r.median());
  EXPECT_NEAR(f.spread.value(), r.spread(), 1e-4 * r.spread());
  EXPECT_NE(f.source.find(r.method), f.source.npos);
}

// One short measurement that several tests look at. No speed is asserted: tests share their machine.
const Calibration& measured() {
  static const Calibration c = calibrate({.threads = 3, .seconds = 0.3});
  return c;
}

TEST(Calibration, EveryReadingIsThereWithItsMethodAndSamples) {
  const Calibration& c = measured();
  EXPECT_EQ(c.threads, 3);
  ASSERT_EQ(c.peaks.size(), 3u);
  for (const auto& [arithmetic, reading] : c.peaks) expect_whole(reading);
  expect_whole(c.memory), expect_whole(c.barrier), expect_whole(c.op), expect_whole(c.region);
  for (const auto& r : c.caches) expect_whole(r);
  for (const auto& k : c.kernels) {
    expect_whole(k.share);
    EXPECT_EQ(k.rate.samples.size(), k.share.samples.size());
  }
  std::vector<std::pair<int, int>> combinations, expected;
  for (const auto& s : c.streams) {
    expect_whole(s.read);
    combinations.emplace_back(s.threads, s.streams);
  }
  for (int threads : {1, 2, 3})
    for (int streams : {1, 2, 4, 8}) expected.emplace_back(threads, streams);
  EXPECT_EQ(combinations, expected);
  EXPECT_EQ(c.memory.samples, c.streams.back().read.samples);
}

TEST(Calibration, TheHardwareIsCompleteAndSurvivesItsFile) {
  const Calibration& c = measured();
  auto j = hardware_json(c.hardware);
  Hardware h = parse_hardware(j.dump(), "here.json");
  EXPECT_EQ(hardware_json(h), j);
  EXPECT_EQ(h.kind, Hardware::Kind::cpu);
  EXPECT_EQ(h.activations, DType::f32);
  for (Arithmetic a : {Arithmetic::fp32, Arithmetic::bf16, Arithmetic::int8}) {
    EXPECT_EQ(h.peaks.at(a).value, c.peaks.at(a).figure().value);
    EXPECT_TRUE(h.peaks.at(a).spread);
  }
  EXPECT_EQ(h.bandwidth.value, c.memory.figure().value);
  EXPECT_EQ(h.capacity.value, static_cast<double>(this_machine().memory));
  ASSERT_EQ(h.caches.size(), c.caches.size());
  for (size_t i = 0; i < c.caches.size(); ++i) EXPECT_EQ(h.caches[i].bandwidth.value, c.caches[i].figure().value);
  ASSERT_TRUE(h.measured);
  EXPECT_EQ(h.measured->processor, processor_name());
  EXPECT_EQ(h.measured->threads, 3);
  EXPECT_EQ(h.measured->contended, !c.contended.empty());
  EXPECT_EQ(h.note.empty(), c.contended.empty());
  ASSERT_TRUE(h.efficiency);
  EXPECT_EQ(h.efficiency->op.value, c.op.figure().value);
  EXPECT_EQ(h.efficiency->step.value, c.region.figure().value);
  // Shares that kernels reached, or 1 and without a source where none ran.
  for (const SourcedValue& share : {h.efficiency->memory, h.efficiency->compute}) {
    EXPECT_EQ(share.source.empty(), c.kernels.empty());
    EXPECT_GT(share.value, 0);
    EXPECT_LE(share.value, 1);
  }
}

TEST(Calibration, TextAndJsonHaveEveryReading) {
  const Calibration& c = measured();
  std::string text = calibration_text(c);
  for (const char* word :
       {"fp32", "bf16", "int8", "memory", "barrier", "1 thread ", "3 threads", "8 streams", "overhead"})
    EXPECT_NE(text.find(word), text.npos) << word << "\n" << text;
  EXPECT_EQ(text.find("was contended") != text.npos, !c.contended.empty());
  auto j = calibration_json(c);
  EXPECT_EQ(j["hardware"], hardware_json(c.hardware));
  EXPECT_EQ(j["readings"].size(), 3 + 1 + c.caches.size() + 3);
  EXPECT_EQ(j["streams"].size(), c.streams.size());
  EXPECT_EQ(j["kernels"].size(), c.kernels.size());
  EXPECT_EQ(j["readings"]["memory"]["samples"].size(), c.memory.samples.size());
}

TEST(Calibration, ProgressRisesToTheEnd) {
  double last = 0;
  calibrate({.threads = 1, .seconds = 0.1, .progress = [&](double share) {
               EXPECT_GE(share, last);
               EXPECT_LE(share, 1);
               last = share;
             }});
  EXPECT_GT(last, 0.3);  // the end, where the machine is not too busy
}

TEST(Reading, MedianBestSpreadAndSwing) {
  Reading r{"memory", "B/s", "so", {10, 9, 11, 10, 2, 10, 10, 12}};
  EXPECT_EQ(r.median(), 10);
  EXPECT_EQ(r.best(), 12);
  EXPECT_DOUBLE_EQ(r.spread(), 1.0);
  EXPECT_DOUBLE_EQ(r.swing(), 0);  // of 10, 10, 10, 10
  EXPECT_EQ(r.figure().source, "so; the median of 8 bursts");
  r.unit = "s";
  EXPECT_EQ(r.best(), 2);
}

TEST(Contention, IsToldFromWhatSurroundedTheMeasurement) {
  Surroundings quiet{.scheduled = 0.998, .foreign = 0.02, .compute_swing = 0.02, .read_swing = 0.1, .processors = 2};
  EXPECT_EQ(contention(quiet), std::vector<std::string>());
  auto reason = [&](auto change) {
    Surroundings s = quiet;
    change(s);
    auto reasons = contention(s);
    return reasons.size() == 1 ? reasons[0] : fmt::format("{} reasons", reasons.size());
  };
  EXPECT_EQ(reason([](auto& s) { s.scheduled = 0.71; }), "its threads had a processor only 71 % of the time");
  EXPECT_EQ(reason([](auto& s) { s.foreign = 1.2; }), "other programs kept 1.2 of 2 processors busy");
  EXPECT_EQ(reason([](auto& s) { s.stolen = 0.5; }), "other virtual machines took 0.5 of 2 processors");
  EXPECT_EQ(reason([](auto& s) { s.compute_swing = 0.3; }), "equal computations differed by 30 % in time");
  EXPECT_EQ(reason([](auto& s) { s.read_swing = 0.6; }), "equal reads of memory differed by 60 % in time");
  // What two programs leave idle on a large machine is no contention there.
  EXPECT_EQ(reason([](auto& s) { s.processors = 128, s.foreign = 2; }), "0 reasons");
}

TEST(Bursts, EveryWorkerDoesEveryTurnAndAllStopTogether) {
  for (int threads : {1, 2, 5}) {
    Team team(threads);
    std::vector<std::array<long, 8>> turns(static_cast<size_t>(threads));  // a cache line each: turns, out of turn
    for (long between : {1l, 3l, 64l})
      for (double seconds : {0.0, 0.003}) {
        for (auto& t : turns) t = {};
        double each = seconds_each(team, seconds, between, [&](Worker& w, long i) {
          auto& mine = turns[static_cast<size_t>(w.index())];
          if (mine[0]++ != i) mine[1] = 1;
        });
        EXPECT_GT(each, 0);
        EXPECT_GE(turns[0][0], between);
        EXPECT_EQ(turns[0][0] % between, 0);
        for (const auto& t : turns) {
          EXPECT_EQ(t[0], turns[0][0]);
          EXPECT_EQ(t[1], 0);
        }
      }
  }
}

TEST(ThisMachine, ReadsWhatTheSystemSays) {
  ScratchFolder root;
  auto write = [&](const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root / path).parent_path());
    root.write(path, text);
  };
  write("proc/cpuinfo", "processor\t: 0\nmodel name\t: A Processor @ 3 GHz\nmodel name\t: Another\n");
  write("proc/meminfo", "MemTotal:       1048576 kB\nMemFree: 5 kB\n");
  write("proc/stat", "cpu  100 20 30 4000 50 6 7 80 0 0\ncpu0 1 2 3\n");
  for (int cpu = 0; cpu < 4; ++cpu) {
    auto cache = [&](int index, const char* level, const char* type, const char* size, const std::string& shared) {
      std::string at = fmt::format("sys/devices/system/cpu/cpu{}/cache/index{}/", cpu, index);
      write(at + "level", level), write(at + "type", type), write(at + "size", size);
      write(at + "shared_cpu_list", shared);
    };
    cache(0, "1\n", "Data\n", "48K\n", std::to_string(cpu) + "\n");
    cache(1, "2\n", "Unified\n", "2048K\n", cpu < 2 ? "0-1\n" : "2-3\n");
    cache(2, "3\n", "Unified\n", "32M\n", "0-3\n");
  }
  Machine m = this_machine(root.path());
  EXPECT_EQ(m.processor, "A Processor @ 3 GHz");
  EXPECT_EQ(m.memory, int64_t{1} << 30);
  ASSERT_EQ(m.caches.size(), 2u);
  EXPECT_EQ(m.caches[0].name, "L2");
  EXPECT_EQ(m.caches[0].all(), std::min(2, m.processors) * (int64_t{2} << 20));
  EXPECT_EQ(m.caches[1].all(), int64_t{32} << 20);
  ProcessorTime t = processor_time(root.path());
  // User, nice, system and both kinds of interrupts: 163 ticks; and 80 that were stolen.
  EXPECT_NEAR(t.stolen / t.busy, 80.0 / 163, 1e-9);
}

TEST(ThisMachine, ASystemThatSaysNothingIsNoError) {
  ScratchFolder root;
  Machine m = this_machine(root.path());
  EXPECT_EQ(m.processor, "unknown processor");
  EXPECT_GT(m.memory, 0);
  EXPECT_TRUE(m.caches.empty());
  EXPECT_EQ(processor_time(root.path()).busy, 0);
}

}  // namespace
}  // namespace ridgeline
