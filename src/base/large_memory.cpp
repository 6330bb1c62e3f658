#include "base/large_memory.h"

#include <sys/mman.h>

#include <cstdint>

#include "base/error.h"

namespace ridgeline {

LargeMemory::LargeMemory(size_t bytes) : size_(bytes) {
  constexpr size_t huge = 2u << 20;
  if (!bytes) return;
  mapped_ = bytes + huge;
  mapping_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping_ == MAP_FAILED) {
    mapping_ = nullptr;
    fail(ExitCode::unavailable, "out_of_memory", "the system refuses {:.1f} MiB of memory",
         static_cast<double>(bytes) / 1048576);
  }
  auto at = (reinterpret_cast<uintptr_t>(mapping_) + huge - 1) & ~(uintptr_t{huge} - 1);
  data_ = reinterpret_cast<std::byte*>(at);
  madvise(data_, bytes, MADV_HUGEPAGE);  // a hint: where it is refused, ordinary pages serve
}

LargeMemory::~LargeMemory() {
  if (mapping_) munmap(mapping_, mapped_);
}

}  // namespace ridgeline
