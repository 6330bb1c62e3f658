// How a matrix product walks through memory, the same for every type and instruction set. An engine E knows one pair of types:
//
//   E::rows              rows of activations it takes at once, at most; E::few: up to this many rows, weights are read straight
//                        from memory, E::streams(rows) panels at a time, at most
//   E::words             dwords of one row's packed activations for one record
//   E::chunk             records of a panel, at most, that stay in L1 while many rows pass
//   E::expanded          bytes of a record expanded for many rows; 0: used as it lies
//   E::pack(x, r, g, to)          packs row r of record g
//   E::expand(record, to)         expands a record
//   E::stream<R, P>(panels, a, c, records)        c[P][R][32] = dot products of R rows with P panels
//   E::block<R>(weights, a, c, records, ahead)    c[R][32] += those over some records; calls ahead.fetch() once for every part
//
// Packed activations lie as [block of rows][record][row of the block][words].
#pragma once
#include <type_traits>

#include "kernels/linear_parts.h"

namespace ridgeline {
namespace {

#define RIDGELINE_UNROLL _Pragma("GCC unroll 32")

inline void prefetch(const std::byte* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0); }
template <int64_t bytes>
inline void prefetch_bytes(const std::byte* p) {
  RIDGELINE_UNROLL
  for (int64_t i = 0; i < bytes; i += 64) prefetch(p + i);
}

// What a block fetches into L1 for those after it.
struct Ahead {
  const std::byte* weights;     // the next line of the next chunk of weights
  int lines;                    // of it for every part of a record
  const uint32_t* activations;  // of the next block
  template <int64_t bytes>      // of them for every part
  void fetch() {
    for (int i = 0; i < lines; ++i, weights += 64) prefetch(weights);
    prefetch_bytes<bytes>(reinterpret_cast<const std::byte*>(activations));
    activations += bytes / 4;
  }
};

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Rows in blocks of almost equal size: 7 rows are 4 + 3, not 6 + 1.
struct Blocks {
  int64_t rows, count;
  int64_t begin(int64_t i) const { return rows * i / count; }
  int size(int64_t i) const { return static_cast<int>(begin(i + 1) - begin(i)); }
};
template <class E>
Blocks blocks_of(int64_t rows) {
  return {rows, ceil_div(rows, E::rows)};
}

template <class E>
int64_t records_of(const Tensor& x) {
  return record_count(E::weight, x.cols);
}
template <class E>
size_t packed_activation_bytes(const Tensor& x) {
  return static_cast<size_t>(x.rows * records_of<E>(x) * E::words) * sizeof(uint32_t);
}
template <class E>
void pack_block(const Tensor& x, const Blocks& blocks, int64_t i, uint32_t* packed) {
  int64_t records = records_of<E>(x), row = blocks.begin(i), rows = blocks.size(i);
  uint32_t* to = packed + row * records * E::words;
  for (int64_t g = 0; g < records; ++g)
    for (int64_t r = row; r < row + rows; ++r, to += E::words) E::pack(x, r, g, to);
}

// f with n, 1 to `most`, as a constant.
template <int most, class F>
void with_constant(int n, F f) {
  if constexpr (most > 1) {
    if (n < most) return with_constant<most - 1>(n, f);
  }
  f(std::integral_constant<int, most>{});
}

// How many streams of memory a core reads fastest, where each is also prefetched by software. Measured: on Zen 5 one reaches 90
// to 97 % of a plain read and four 75 to 85 %; on Sapphire Rapids one reaches 60 % and four 92 to 97 %. It changes no bit.
inline int best_streams() { return __builtin_cpu_is("amd") ? 1 : 4; }

// Few rows: reading the weights is what takes time. A worker cuts the panels it has claimed into a few streams and follows all
// of them at once, each through adjacent memory, so that what is prefetched at the end of a panel is the stream's next one.
template <class E>
class Streams {
 public:
  Streams(const Product& product, const uint32_t* activations)
      : activations_(activations), rows_(static_cast<int>(product.x.rows)), records_(records_of<E>(product.x)) {
    most_ = std::min(best_streams(), E::streams(rows_));
  }

  void multiply(const Part& part, int64_t first, int64_t last) {
    for (int64_t each = part.streams(), panels; first < last; first += panels) {
      int64_t left = (last - first) * each;
      int at_once = std::max(part.streams(), std::min(most_, left >= 4 ? 4 : left >= 2 ? 2 : 1));
      int64_t length = (last - first) / (at_once / each);
      panels = length * (at_once / each);
      for (int64_t i = 0; i < length; ++i) step(part, first + i, length, at_once);
    }
  }

 private:
  // Panels `panel`, panel + length, ...: where each stream is.
  void step(const Part& part, int64_t panel, int64_t length, int at_once) {
    alignas(64) float dots[4 * E::few * panel_columns];
    const std::byte* from[4];
    int each = part.streams();
    for (int i = 0; i < at_once; ++i)
      from[i] = part.weights[i % each] + (panel + i / each * length) * records_ * E::record;
    with_constant<E::few>(rows_, [&](auto r) {
      if (at_once == 4) return E::template stream<r, 4>(from, activations_, dots, records_);
      if (at_once == 2) return E::template stream<r, 2>(from, activations_, dots, records_);
      E::template stream<r, 1>(from, activations_, dots, records_);
    });
    for (int i = 0; i < at_once; i += each) {
      const float* tile = dots + i * rows_ * panel_columns;
      finish(part, panel + i / each * length, 0, rows_, tile, each == 2 ? tile + rows_ * panel_columns : nullptr);
    }
  }

  const uint32_t* activations_;
  int rows_, most_;
  int64_t records_;
};

// Packing a few rows is less work than a barrier, so that every worker does it for itself.
template <class E>
void multiply_few(const Product& product, Worker& w) {
  auto* a = reinterpret_cast<uint32_t*>(w.scratch(packed_activation_bytes<E>(product.x)));
  pack_block<E>(product.x, {product.x.rows, 1}, 0, a);
  Streams<E> streams(product, a);
  int64_t panels = product.panels(), part = std::clamp<int64_t>(panels / (8 * w.count()) / 4 * 4, 4, 32);
  w.claim(panels, part, [&](int64_t begin, int64_t end) {
    for_each_run(product, begin, end,
                 [&](const Part& p, int64_t first, int64_t last) { streams.multiply(p, first, last); });
  });
}

// Many rows: a strip of rows passes a panel chunk by chunk, the chunk staying in L1.
template <class E>
class Strip {
 public:
  // 32 blocks: their activations of a long row, 0.6 MB at k = 2048, and their dot products fit into an L2 of 1 MiB.
  static constexpr int64_t most_blocks = 32;
  static constexpr int64_t most_rows = most_blocks * E::rows;
  static constexpr size_t scratch_bytes = 2 * most_rows * panel_columns * sizeof(float) + E::chunk * E::expanded;

  Strip(const Product& product, const uint32_t* activations, std::byte* scratch)
      : activations_(activations),
        records_(records_of<E>(product.x)),
        chunk_(ceil_div(records_, ceil_div(records_, E::chunk))) {
    dots_ = reinterpret_cast<float*>(scratch);
    expanded_ = scratch + 2 * most_rows * panel_columns * sizeof(float);
  }

  // Blocks [first, last) of all rows by one panel of a part. `next`: the weights that this worker will read after it.
  void multiply(const Part& part, int64_t panel, const Blocks& blocks, int64_t first, int64_t last,
                const std::byte* next) {
    int64_t bytes = records_ * E::record;
    int streams = part.streams();
    for (int s = 0; s < streams; ++s) {
      const std::byte* after = s + 1 < streams ? part.weights[s + 1] + panel * bytes : next;
      pass(part.weights[s] + panel * bytes, blocks, first, last, s, after, [&](int64_t i, bool done) {
        if (s + 1 < streams) return;
        int64_t row = blocks.begin(i), rows = blocks.size(i);
        if (!done) return fetch_results(part, panel, row, rows);
        finish(part, panel, row, rows, dots(blocks, first, i, 0), streams == 2 ? dots(blocks, first, i, 1) : nullptr);
      });
    }
  }

 private:
  // The dot products of block i with matrix s.
  float* dots(const Blocks& blocks, int64_t first, int64_t i, int s) const {
    return dots_ + (s * most_rows + blocks.begin(i) - blocks.begin(first)) * panel_columns;
  }

  // All rows by one panel of matrix s. visit(block, false) before a block's last chunk, visit(block, true) after it.
  template <class Visit>
  void pass(const std::byte* weights, const Blocks& blocks, int64_t first, int64_t last, int s, const std::byte* next,
            Visit visit) {
    std::memset(dots(blocks, first, first, s), 0,
                static_cast<size_t>(blocks.begin(last) - blocks.begin(first)) * panel_columns * sizeof(float));
    for (int64_t g = 0; g < records_; g += chunk_) {
      int64_t n = std::min(chunk_, records_ - g);
      const std::byte* chunk = weights + g * E::record;
      const std::byte* after = g + n < records_ ? chunk + n * E::record : next;
      int64_t lines = n * E::record / 64, parts = n * record_parts(E::weight);
      int64_t each = ceil_div(lines, parts * (last - first));
      if constexpr (E::expanded > 0) chunk = expand(chunk, n);
      for (int64_t i = first; i < last; ++i) {
        int rows = blocks.size(i);
        const uint32_t* a = activations_ + (blocks.begin(i) * records_ + g * rows) * E::words;
        const uint32_t* a_next = activations_ + (blocks.begin(i + 1) * records_ + g * rows) * E::words;
        int64_t fetched = (i - first) * parts * each;
        Ahead ahead{after, 0, a_next};
        if (after && fetched < lines) ahead.weights += fetched * 64, ahead.lines = static_cast<int>(each);
        if (g + n == records_) visit(i, false);
        with_constant<E::rows>(rows,
                               [&](auto r) { E::template block<r>(chunk, a, dots(blocks, first, i, s), n, ahead); });
        if (g + n == records_) visit(i, true);
      }
    }
  }
  const std::byte* expand(const std::byte* chunk, int64_t n) {
    for (int64_t i = 0; i < n; ++i) E::expand(chunk + i * E::record, expanded_ + i * E::expanded);
    return expanded_;
  }

  const uint32_t* activations_;
  int64_t records_, chunk_;
  float* dots_;  // [matrix][rows of a strip][32]
  std::byte* expanded_;
};

template <class E>
void multiply_many(const Product& product, Worker& w) {
  const Tensor& x = product.x;
  Blocks blocks = blocks_of<E>(x.rows);
  auto* a = reinterpret_cast<uint32_t*>(w.shared());
  auto [mine, end_of_mine] = w.share(blocks.count);
  for (int64_t i = mine; i < end_of_mine; ++i) pack_block<E>(x, blocks, i, a);
  w.barrier();

  Strip<E> strip(product, a, w.scratch(Strip<E>::scratch_bytes));
  int64_t panels = product.panels(), strips = ceil_div(blocks.count, Strip<E>::most_blocks),
          bytes = records_of<E>(x) * E::record;
  // Panel by panel of the first strip of rows, then of the next. At least 16 parts a worker where there are that many.
  w.claim(strips * panels, std::clamp<int64_t>(strips * panels / (16 * w.count()), 1, 8),
          [&](int64_t begin, int64_t end) {
            for (int64_t s = begin / panels; s * panels < end; ++s) {
              int64_t first = blocks.count * s / strips, last = blocks.count * (s + 1) / strips;
              for_each_run(product, begin - s * panels, end - s * panels, [&](const Part& p, int64_t from, int64_t to) {
                for (int64_t i = from; i < to; ++i)
                  strip.multiply(p, i, blocks, first, last, i + 1 < to ? p.weights[0] + (i + 1) * bytes : nullptr);
              });
            }
          });
}

template <class E>
[[gnu::noinline]] void multiply(const Product& product, Worker& w) {
  if (product.x.rows == 0) return;
  product.x.rows <= E::few ? multiply_few<E>(product, w) : multiply_many<E>(product, w);
}

template <class O, class E>
constexpr Cell cell() {
  return {O::name,
          {E::input, E::weight},
          [](const Op& op, const KernelMemory& m, Worker& w) { multiply<E>(product_of<O>(op, m), w); },
          [](const Op& op, const KernelMemory& m) {
            const Tensor& x = m.tensor(op.as<O>()->x);
            return x.rows <= E::few ? size_t{0} : packed_activation_bytes<E>(x);
          }};
}

// Every linear op on engines E..., ready for a table.
template <class... E>
struct LinearCells {
  static constexpr size_t ops = 7;
  Cell cells[ops * sizeof...(E)];
  constexpr LinearCells() {
    Cell* to = cells;
    auto add = [&](Cell c) { *to++ = c; };
    ((add(cell<Linear, E>()), add(cell<Linears, E>()), add(cell<LinearAdd, E>()), add(cell<LinearGated<Silu>, E>()),
      add(cell<LinearGated<Gelu>, E>()), add(cell<LinearActivation<Silu>, E>()),
      add(cell<LinearActivation<Gelu>, E>())),
     ...);
  }
};

}  // namespace
}  // namespace ridgeline
