// How the work of one attention is cut. The rows of a (sequence, kv head) are its queries times the heads of the group, query by
// query; a block is up to 12 of them. An item is one block over all its keys or, where a sequence has few blocks, over one segment
// of them: then several workers share a long sequence, and its parts are merged in ascending order afterwards.
#pragma once
#include "kernels/kernel_set.h"
#include "ops/attention.h"

namespace ridgeline {
namespace {

// The scores of twelve rows over a segment are 24 KiB: half of a first-level cache; and twelve are two register tiles of six.
constexpr int64_t block_rows = 12;
constexpr int64_t split_blocks = 4;  // sequences with more blocks are never split

struct SequencePlace {
  int64_t fresh, cached;
  int64_t row, keys, pages, parts;  // where its new tokens, keys, pages and partial results begin in the batch
};

class AttentionItems {
 public:
  AttentionItems(const Attention& op, const KernelMemory& m)
      : kv_heads(m.tensor(op.keys).cols / op.head_dim),
        group(m.tensor(op.q).cols / m.tensor(op.keys).cols),
        counts_(m.tensor(op.sequences).as<int32_t>()),
        sequences_(m.tensor(op.sequences).rows),
        window_(op.window) {}

  const int64_t kv_heads, group;

  int64_t blocks(const SequencePlace& s) const { return (s.fresh * group + block_rows - 1) / block_rows; }
  int64_t first_seen(int64_t position) const { return window_ && position >= window_ ? position - window_ + 1 : 0; }
  int64_t first_segment(const SequencePlace& s) const { return first_seen(s.cached) / Attention::segment; }
  int64_t segments(const SequencePlace& s) const {
    return (s.cached + s.fresh - 1) / Attention::segment - first_segment(s) + 1;
  }
  // Partial results that a sequence may leave: whether it is split depends on the workers too, their places do not.
  int64_t parts(const SequencePlace& s) const {
    return s.fresh && blocks(s) <= split_blocks && segments(s) > 1 ? kv_heads * blocks(s) * segments(s) : 0;
  }
  // Two blocks for every worker balance by being claimed one by one.
  bool is_split(const SequencePlace& s, int64_t workers) const {
    return parts(s) && kv_heads * blocks(s) < 2 * workers;
  }

  // Where the sequences end: how many rows, keys, pages and parts there are.
  SequencePlace ends() const {
    return each([](const SequencePlace&) {});
  }
  bool any_split(int64_t workers) const {
    bool any = false;
    each([&](const SequencePlace& s) { any |= is_split(s, workers); });
    return any;
  }

  // Each worker claims some of the `count(s)` items of every sequence s and calls f(s, item, next) for them, where next(g)
  // calls g(s, item) with what it will do afterwards, if that is known.
  template <class Count, class F>
  void claim(Worker& w, Count count, F f) const {
    int64_t total = 0, i = 0, begin = 0;
    each([&](const SequencePlace& s) { total += count(s); });
    SequencePlace s = at(0, {});
    int64_t part = total / (4 * w.count());
    w.claim(total,
            part < 1   ? 1
            : part > 8 ? 8
                       : part,
            [&](int64_t first, int64_t last) {  // claims ascend
              for (int64_t item = first; item < last; ++item) {
                for (; item >= begin + count(s); s = at(++i, after(s))) begin += count(s);
                f(s, item - begin, [&](auto g) {
                  if (item + 1 == last) return;
                  SequencePlace t = s;
                  int64_t rest = item + 1 - begin;
                  for (int64_t j = i; rest >= count(t); t = at(++j, after(t))) rest -= count(t);
                  g(t, rest);
                });
              }
            });
  }

 private:
  SequencePlace at(int64_t i, SequencePlace s) const {
    if (i < sequences_) s.fresh = counts_[2 * i], s.cached = counts_[2 * i + 1];
    return s;
  }
  SequencePlace after(SequencePlace s) const {
    s.parts += parts(s);
    s.row += s.fresh, s.keys += s.cached + s.fresh, s.pages += (s.cached + s.fresh + page_tokens - 1) / page_tokens;
    return s;
  }
  template <class F>
  SequencePlace each(F f) const {
    SequencePlace s = at(0, {});
    for (int64_t i = 0; i < sequences_; s = at(++i, after(s))) f(s);
    return s;
  }

  const int32_t* counts_;
  int64_t sequences_;
  int window_;
};

}  // namespace
}  // namespace ridgeline
