// The loops of ceilings.h, for a vector type V. For files of one instruction set only: everything is local to the
// file that includes it.
#pragma once
#include <cstddef>
#include <utility>

namespace ridgeline {
namespace {

constexpr int peak_rounds = 2'000;

// The compiler must take x for changed: it can neither drop nor merge what made it.
template <class V>
inline void keep(V& x) {
  asm volatile("" : "+v"(x));
}

template <class V, class Step, size_t... I>
void repeat(V start, Step step, std::index_sequence<I...>) {
  V chain[] = {(static_cast<void>(I), start)...};
  for (int i = 0; i < peak_rounds; ++i) ((chain[I] = step(chain[I]), keep(chain[I])), ...);
}
// Runs step on `chains` values in turn: as many as hide its latency.
template <size_t chains, class V, class Step>
void repeat(V start, Step step) {
  repeat(start, step, std::make_index_sequence<chains>());
}

// load(p) reads one V at p, combine(a, b) uses it.
template <size_t streams, class V, class Load, class Combine>
void read_streams(const std::byte* at, size_t stride, size_t bytes, V zero, Load load, Combine combine) {
  V a = zero, b = zero, c = zero, d = zero;
  for (size_t offset = 0; offset < bytes; offset += 4 * sizeof(V))
    for (size_t stream = 0; stream < streams; ++stream) {
      const std::byte* p = at + stream * stride + offset;
      a = combine(a, load(p)), b = combine(b, load(p + sizeof(V)));
      c = combine(c, load(p + 2 * sizeof(V))), d = combine(d, load(p + 3 * sizeof(V)));
    }
  keep(a), keep(b), keep(c), keep(d);
}

}  // namespace
}  // namespace ridgeline
