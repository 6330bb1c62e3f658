// Numbers to pixels, and the ticks that a person would choose.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline {

class Axis {
 public:
  enum class Kind : uint8_t { linear, log };
  // low < high, and above 0 where it is logarithmic; `from` and `to` are the pixels of the two. Throws Error (internal)
  // where they are not.
  Axis(Kind kind, double low, double high, double from, double to);

  double operator()(double value) const;
  double low() const { return low_; }
  double high() const { return high_; }
  double from() const { return from_; }
  double to() const { return to_; }
  bool holds(double value) const { return value >= low_ && value <= high_; }

 private:
  double place(double value) const;
  Kind kind_;
  double low_, high_, from_, to_;
};

// At most `most` multiples of 1, 2 or 5 times a power of ten, from low to high.
std::vector<double> linear_ticks(double low, double high, int most);
// Powers of `base`, every n-th of them, so that they are at most `most`; of 10 also 2 and 5 times them where there is room.
std::vector<double> log_ticks(double low, double high, int most, int base = 10);

// "0", "20", "8,192", "500 G", "1.5 T": whole numbers below a million as they are, others with a decimal unit; put the base
// unit behind it.
std::string tick_text(double value);

}  // namespace ridgeline
