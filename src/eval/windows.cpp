#include "eval/windows.h"

#include <algorithm>

namespace ridgeline {

std::vector<Window> sliding_windows(int64_t tokens, int64_t context, int64_t stride) {
  std::vector<Window> list;
  for (int64_t begin = 0, reached = 0; reached < tokens; begin += stride) {
    int64_t end = std::min(begin + context, tokens), scored = std::max(reached, begin + 1);
    if (scored < end) list.push_back({begin, scored, end});
    reached = end;
  }
  return list;
}

std::vector<Window> chunk_windows(int64_t tokens, int64_t context) {
  std::vector<Window> list;
  for (int64_t begin = 0; begin + context <= tokens; begin += context)
    list.push_back({begin, begin + context / 2 + 1, begin + context});
  return list;
}

}  // namespace ridgeline
