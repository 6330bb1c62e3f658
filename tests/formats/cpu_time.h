// Processor time since it was made, for promises like "refused within a second": other programs on the machine do not
// count. Builds without optimisation or with sanitizers are given ten times as long.
#pragma once
#include <ctime>

namespace ridgeline {

class CpuTime {
 public:
  double seconds() const {
    double spent = static_cast<double>(std::clock() - begin_) / CLOCKS_PER_SEC;
#ifdef NDEBUG
    return spent;
#else
    return spent / 10;
#endif
  }

 private:
  std::clock_t begin_ = std::clock();
};

}  // namespace ridgeline
