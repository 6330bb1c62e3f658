#include "program/memory_plan.h"

#include <algorithm>

namespace ridgeline {

MemoryPlan plan_memory(const Program& p, const BatchShape& batch) {
  constexpr int64_t line = 64;
  int end = static_cast<int>(p.nodes.size());
  std::vector<int> last(p.values.size(), -1);
  for (int i = 0; i < end; ++i)
    for (Value v : p.nodes[static_cast<size_t>(i)].op.operands()) last[static_cast<size_t>(v.id)] = i;
  for (const auto& o : p.outputs) last[static_cast<size_t>(o.value.id)] = end;

  MemoryPlan plan{std::vector<int64_t>(p.values.size(), -1)};
  struct Live {
    int64_t begin, end;
    int last;
  };
  std::vector<Live> live;  // sorted by begin
  for (int i = 0; i < end; ++i) {
    for (Value v : p.nodes[static_cast<size_t>(i)].results) {
      if (p.type(v).role == Role::kv) continue;  // the next version of a state lies where the last one lay
      int64_t need = (p.type(v).bytes().at(batch) + line - 1) / line * line, at = 0;
      for (const auto& l : live) {
        if (at + need <= l.begin) break;
        at = std::max(at, l.end);
      }
      plan.offset[static_cast<size_t>(v.id)] = at;
      plan.total += need;
      plan.peak = std::max(plan.peak, at + need);
      Live mine{at, at + need, last[static_cast<size_t>(v.id)]};
      live.insert(std::upper_bound(live.begin(), live.end(), mine,
                                   [](const Live& x, const Live& y) { return x.begin < y.begin; }),
                  mine);
    }
    std::erase_if(live, [&](const Live& l) { return l.last <= i; });
  }
  return plan;
}

}  // namespace ridgeline
