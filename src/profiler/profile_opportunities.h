// Where a profile says that time can be had back, the most first.
#pragma once
#include "profiler/profile_rows.h"

namespace ridgeline {

struct Opportunity {
  enum class Kind : uint8_t {
    slow_path,   // no kernel set has a cell: the op's reference runs, on one thread
    below_roof,  // an op takes longer than the roofline says
    fusion,      // a fused op exists and was left out, or ops follow one another that could be one
    barriers
  };
  Kind kind;
  std::string what;      // the op as `explain` shows it; the ops to fuse, by name
  size_t places = 1;     // as many of them in the program
  std::string why;       // in words, with figures
  double seconds = 0;    // of a step; of a fusion an estimate: its barriers, and its bytes at the read limit
  int64_t bytes = 0;     // fusion: no longer moved
  int64_t ops_less = 0;  // fusion: and as many barriers
};
std::string_view name_of(Opportunity::Kind);  // "below roof"

// What would bring less than a thousandth of the step is left out. They overlap: a fusion removes barriers that have a line of
// their own.
std::vector<Opportunity> opportunities(const Profile&);

}  // namespace ridgeline
