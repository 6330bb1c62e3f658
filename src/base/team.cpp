#include "base/team.h"

#include <immintrin.h>

#include <algorithm>
#include <system_error>

#include "base/error.h"

namespace ridgeline {
namespace {

// Waits until done() holds: spins about 20 us, then yields, so that one foreign process on a core costs a time slice and not a
// collapse; after about 2 ms of yielding it sleeps on `word` while that still holds `old`.
// idle() is called while it spins: it returns false where it has nothing to do.
template <class Done, class Idle>
void wait(const std::atomic<uint32_t>& word, uint32_t old, Done done, Idle idle) {
  for (int i = 0; i < 400; ++i) {
    if (done()) return;
    if (!idle()) _mm_pause();
  }
  for (int i = 0; i < 2000; ++i) {
    if (done()) return;
    std::this_thread::yield();
  }
  while (!done()) word.wait(old, std::memory_order_acquire);
}

constexpr size_t fetched_page = 4096;  // of what is needed soon, one worker's turn

constexpr unsigned flush_and_zero = 0x8040;  // MXCSR: FTZ and DAZ, part of every arithmetic

std::byte* aligned(std::vector<std::byte>& memory, size_t bytes) {
  if (memory.size() < bytes + 64) memory.resize(bytes + 64);
  auto at = reinterpret_cast<uintptr_t>(memory.data());
  return memory.data() + (-at & 63);
}

}  // namespace

int Worker::count() const { return team_->size(); }

Worker::Range Worker::share(int64_t n, int64_t step) const {
  int64_t steps = (n + step - 1) / step, w = count();
  return {std::min(n, steps * index_ / w * step), std::min(n, steps * (index_ + 1) / w * step)};
}

void Worker::barrier() {
  Team& t = *team_;
  uint32_t phase = phase_++;
  if (t.size() == 1) {
    t.claimed_[(phase + 1) & 3].store(0, std::memory_order_relaxed);
    return;
  }
  if (t.arrived_.fetch_add(1, std::memory_order_acq_rel) == t.size() - 1) {
    t.arrived_.store(0, std::memory_order_relaxed);
    t.claimed_[(phase + 2) & 3].store(0, std::memory_order_relaxed);
    t.phase_.store(phase + 1, std::memory_order_release);
    t.phase_.notify_all();
    return;
  }
  wait(
      t.phase_, phase, [&] { return t.phase_.load(std::memory_order_acquire) != phase; }, [&] { return fetch_some(); });
}

void Worker::will_need(const std::vector<std::span<const std::byte>>& parts) {
  if (needed_ == &parts) return;
  needed_ = &parts;
  needed_part_ = 0;
  needed_offset_ = static_cast<size_t>(index_) * fetched_page;
}

// Four lines: about as much as arrives in the time of a pause.
bool Worker::fetch_some() {
  if (!needed_ || needed_part_ == needed_->size()) return false;
  auto part = (*needed_)[needed_part_];
  if (needed_offset_ >= part.size()) {
    ++needed_part_;
    needed_offset_ = static_cast<size_t>(index_) * fetched_page;
    return true;
  }
  size_t end = std::min(part.size(), needed_offset_ + 256);
  for (size_t at = needed_offset_; at < end; at += 64)
    _mm_prefetch(reinterpret_cast<const char*>(part.data() + at), _MM_HINT_T1);
  needed_offset_ += 256;
  if (needed_offset_ % fetched_page == 0) needed_offset_ += static_cast<size_t>(count() - 1) * fetched_page;
  return true;
}

int64_t Worker::next(int64_t part) { return team_->claimed_[phase_ & 3].fetch_add(part, std::memory_order_relaxed); }

std::byte* Worker::scratch(size_t bytes) { return aligned(scratch_, bytes); }
std::byte* Worker::shared() const {
  auto at = reinterpret_cast<uintptr_t>(team_->shared_.data());
  return team_->shared_.data() + (-at & 63);
}

Team::Team(int threads) : workers_(static_cast<size_t>(std::max(threads, 1))) {
  for (size_t i = 0; i < workers_.size(); ++i) workers_[i].team_ = this, workers_[i].index_ = static_cast<int>(i);
  try {
    for (int i = 1; i < size(); ++i) threads_.emplace_back([this, i] { loop(i); });
  } catch (const std::system_error&) {
    size_t started = threads_.size();
    stop();
    fail(ExitCode::unavailable, "no_threads",
         "the system allows {} of {} threads: use a smaller -t, or raise `ulimit -u`", started + 1, size());
  }
}

Team::~Team() { stop(); }

void Team::stop() {
  stop_ = true;
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (auto& t : threads_) t.join();
}

void Team::enter(Worker& w) {
  unsigned before = _mm_getcsr();
  _mm_setcsr(before | flush_and_zero);
  (*region_)(w);
  w.needed_ = nullptr;  // what a region needed may be gone before the next
  w.barrier();
  _mm_setcsr(before);
}

void Team::run(const std::function<void(Worker&)>& region) {
  region_ = &region;
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  enter(workers_[0]);
}

void Team::loop(int index) {
  for (uint32_t seen = 0;; ++seen) {
    wait(generation_, seen, [&] { return generation_.load(std::memory_order_acquire) != seen; }, [] { return false; });
    if (stop_.load(std::memory_order_acquire)) return;
    enter(workers_[static_cast<size_t>(index)]);
  }
}

void Team::reserve_shared(size_t bytes) { aligned(shared_, bytes); }

}  // namespace ridgeline
