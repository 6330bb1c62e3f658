// Anonymous memory for weights and caches: zeroed, 2 MiB aligned, on huge pages where the system has them, returned to the
// system as soon as it is let go.
#pragma once
#include <cstddef>
#include <utility>

namespace ridgeline {

class LargeMemory {
 public:
  LargeMemory() = default;
  explicit LargeMemory(size_t bytes);  // throws Error (unavailable) where the system refuses
  LargeMemory(LargeMemory&& o) noexcept { swap(o); }
  LargeMemory& operator=(LargeMemory&& o) noexcept {
    swap(o);
    return *this;
  }
  ~LargeMemory();
  std::byte* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void swap(LargeMemory& o) {
    std::swap(data_, o.data_), std::swap(size_, o.size_);
    std::swap(mapping_, o.mapping_), std::swap(mapped_, o.mapped_);
  }
  std::byte* data_ = nullptr;
  size_t size_ = 0;
  void* mapping_ = nullptr;
  size_t mapped_ = 0;
};

}  // namespace ridgeline
