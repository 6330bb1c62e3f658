// A team of threads that enters one parallel region per step and stays in it: ops are separated by a spin barrier, not by
// forking. Between regions the workers spin a little and then sleep.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <thread>
#include <vector>

namespace ridgeline {

class Team;

// One thread of a team inside a region. The caller's own thread is worker 0.
class alignas(64) Worker {  // a cache line of its own: each counts its barriers
 public:
  int index() const { return index_; }
  int count() const;
  // Waits for the whole team. Everything written before it by any worker is visible after it.
  void barrier();
  // Memory that the team will read soon. A worker that waits at a barrier fetches of it what the others do not, a page in turn,
  // so that memory does not rest while it does. The list must live as long as the region, and so must the parts; asking for the same
  // list again goes on where it was.
  void will_need(const std::vector<std::span<const std::byte>>& parts);

  // This worker's share of n items in contiguous parts, a multiple of `step` but for the last.
  struct Range {
    int64_t begin, end;
  };
  Range share(int64_t n, int64_t step = 1) const;

  // Calls f(begin, end) for parts of n items of `part` each, claimed one by one by whichever worker is free, so that a worker
  // that is held up does less. Every worker of the team must call it with the same n and part, at most once between barriers.
  template <class F>
  void claim(int64_t n, int64_t part, F f) {
    for (int64_t begin; (begin = next(part)) < n;) f(begin, begin + part < n ? begin + part : n);
  }

  // Memory of this worker alone, 64-byte aligned, kept from call to call; its contents are not.
  std::byte* scratch(size_t bytes);
  // Memory of the whole team for the op at hand: the executor reserves what the kernel's cell asks for.
  std::byte* shared() const;

 private:
  friend class Team;
  int64_t next(int64_t part);
  bool fetch_some();
  Team* team_ = nullptr;
  int index_ = 0;
  uint32_t phase_ = 0;  // barriers passed
  std::vector<std::byte> scratch_;
  const std::vector<std::span<const std::byte>>* needed_ = nullptr;
  size_t needed_part_ = 0;    // where fetching stands: the part,
  size_t needed_offset_ = 0;  // and the byte in it
};

class Team {
 public:
  explicit Team(int threads);  // >= 1; threads - 1 are started. Error (unavailable) where the system allows fewer
  ~Team();
  Team(const Team&) = delete;
  int size() const { return static_cast<int>(workers_.size()); }

  // Runs `region` once on every worker, at the same time, with flush-to-zero and denormals-are-zero set; returns when all are
  // done. `region` must not throw.
  void run(const std::function<void(Worker&)>& region);
  void reserve_shared(size_t bytes);  // outside a region

 private:
  friend class Worker;
  void stop();
  void loop(int index);
  void enter(Worker&);

  std::vector<Worker> workers_;
  std::vector<std::thread> threads_;
  const std::function<void(Worker&)>* region_ = nullptr;
  std::vector<std::byte> shared_;
  // Each on its own cache line: they are written by different threads at different times.
  alignas(64) std::atomic<uint32_t> generation_{0};  // regions begun
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<uint32_t> phase_{0};     // barriers opened
  alignas(64) std::atomic<int64_t> claimed_[4]{};  // by phase modulo 4; the barrier clears the one after next
  alignas(64) std::atomic<bool> stop_{false};
};

}  // namespace ridgeline
