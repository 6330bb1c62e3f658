// The queries of a ragged batch. Query i of a sequence with c cached tokens stands at position c + i and sees the keys at
// positions max(0, c + i - window + 1) .. c + i: the causal mask and the sliding window are ranges, never stored.
#pragma once
#include <algorithm>

#include "program/op.h"

namespace ridgeline {

struct Query {
  int64_t row;          // of the query among the batch's tokens
  int64_t first, last;  // positions it sees, last its own
  int64_t pair;         // its first row among the visible pairs
  int64_t keys;         // where position 0 of its sequence stands among the batch's keys
};

// sequences: [sequences, 2], per sequence its new and its cached tokens.
template <class S>
std::vector<Query> queries(const In<S>& sequences, int window) {
  std::vector<Query> list;
  int64_t row = 0, pair = 0, keys = 0;
  for (int64_t s = 0; s < sequences.rows(); ++s) {
    int64_t fresh = sequences.index(s, 0), cached = sequences.index(s, 1);
    for (int64_t i = 0; i < fresh; ++i) {
      int64_t at = cached + i, first = window ? std::max<int64_t>(0, at - window + 1) : 0;
      list.push_back({row++, first, at, pair, keys});
      pair += at - first + 1;
    }
    keys += cached + fresh;
  }
  return list;
}

// The row of `keys` or `values` that holds a position: its slot where they are a paged cache, else simply its place.
template <class S>
int64_t key_row(const In<S>& slots, const Query& q, int64_t position) {
  return slots ? slots.index(q.keys + position) : q.keys + position;
}

}  // namespace ridgeline
