// Attention over pages of keys and values, once for both sets: `Pages` is the arithmetic of one cache type on one set. Its members:
//   type                                     of the cache
//   Factor, factors(k)                       what the rows that multiply a page are made of, and how many k values take
//   put_factors(low, high, to)               32 values, rounded to the type
//   pack_row(x, n, token, head_dim, page)    a token's keys, and its values, put into a page
//   keys(page, head_dim, scratch)            the keys as lines of 32 tokens
//   lines(k), key_line, value_line(head_dim) lines that k values take; bytes of one line
//   add_products(...)                        c[row][col] += even + odd chain over k of a[row][k] b[k][col]: all the arithmetic
//   finite(values, head_dim)                 no infinity and no NaN among them
#pragma once
#include "kernels/attention_items.h"
#include "kernels/vector.h"

namespace ridgeline {
namespace {

// One tile of a product: 32 k or fewer.
struct TileShape {
  int64_t rows, k, cols;
  bool first;  // c counts as zero
  // What will be read next, and what after a while, in the shape of b: fetched meanwhile. May be null.
  const std::byte *ahead, *later;
};

// One query and head.
struct AttentionRow {
  int64_t token, head;
  int64_t first, last;  // positions it sees
};

template <class Pages>
class AttentionKernel {
 public:
  using Factor = typename Pages::Factor;

  AttentionKernel(const Attention& op, const KernelMemory& m, Worker& w)
      : items_(op, m),
        worker_(w),
        q_(m.tensor(op.q)),
        keys_(m.tensor(op.keys)),
        values_(m.tensor(op.values)),
        y_(m.result_tensor()),
        slots_(op.slots ? m.tensor(op.slots).template as<int32_t>() : nullptr),
        exponent_(op.exponent()),
        head_dim_(op.head_dim) {
    factor_step_ = Pages::factors((head_dim_ + 31) / 32 * 32);
    mix_step_ = (head_dim_ + 15) / 16 * 16;
    if (!slots_) packed_ = w.shared();
    parts_ = reinterpret_cast<float*>(w.shared() + (slots_ ? 0 : packed_bytes(op, m)));
    take_scratch();
  }

  static size_t shared_bytes(const Attention& op, const KernelMemory& m) {
    int64_t part = block_rows * ((op.head_dim + 15) / 16 * 16 + 16) * static_cast<int64_t>(sizeof(float));
    return static_cast<size_t>((op.slots ? 0 : packed_bytes(op, m)) + AttentionItems(op, m).ends().parts * part);
  }

  void run() {
    if (packed_) pack(), worker_.barrier();
    int64_t workers = worker_.count();
    items_.claim(
        worker_,
        [&](const SequencePlace& s) { return blocks(s) * (items_.is_split(s, workers) ? items_.segments(s) : 1); },
        [&](const SequencePlace& s, int64_t item, auto next) {
          next_ = {};
          next([&](const SequencePlace& t, int64_t i) { next_ = first_pages(t, i); });
          if (items_.is_split(s, workers))
            one_segment(s, item / items_.segments(s), item % items_.segments(s));
          else
            all_segments(s, item);
        });
    if (!items_.any_split(workers)) return;
    worker_.barrier();
    items_.claim(
        worker_, [&](const SequencePlace& s) { return items_.is_split(s, workers) ? blocks(s) : 0; },
        [&](const SequencePlace& s, int64_t block, auto) { merge_segments(s, block); });
  }

 private:
  static constexpr int64_t segment = Attention::segment;
  static constexpr int64_t score_step = segment + 16;  // rows then start in different sets of the cache
  // A partial result of a block: per row its greatest score and sum, then the mix.
  struct Part {
    float *top, *sum, *mix;
  };

  int64_t blocks(const SequencePlace& s) const { return items_.kv_heads * items_.blocks(s); }

  static int64_t packed_bytes(const Attention& op, const KernelMemory& m) {
    AttentionItems items(op, m);
    return items.ends().pages * items.kv_heads * page_bytes(Pages::type, op.head_dim);
  }
  int64_t page_size() const { return page_bytes(Pages::type, static_cast<int>(head_dim_)); }
  int64_t part_floats() const { return block_rows * (mix_step_ + 16); }
  Part part_at(float* p) const { return {p, p + 8 * block_rows, p + 16 * block_rows}; }

  void take_scratch() {
    auto bytes_of_floats = [](int64_t n) { return (n * 4 + 63) / 64 * 64; };
    int64_t scores = bytes_of_floats(block_rows * score_step), factors = bytes_of_floats(block_rows * factor_step_);
    int64_t part = bytes_of_floats(part_floats());
    std::byte* at = worker_.scratch(static_cast<size_t>(scores + factors + 2 * part + 2 * page_size()));
    scores_ = reinterpret_cast<float*>(at), at += scores;
    query_ = reinterpret_cast<Factor*>(at), at += factors;
    whole_ = part_at(reinterpret_cast<float*>(at)), at += part;
    partial_ = part_at(reinterpret_cast<float*>(at)), at += part;
    turned_keys_ = at, clean_values_ = at + page_size();
  }

  // Without a cache: the batch's rows of keys and values, rounded into pages.
  void pack() {
    items_.claim(
        worker_, [&](const SequencePlace& s) { return pages(s) * items_.kv_heads; },
        [&](const SequencePlace& s, int64_t item, auto) {
          int64_t kv_head = item % items_.kv_heads, first = item / items_.kv_heads * page_tokens;
          std::byte* page = packed_ + (s.pages * items_.kv_heads + item) * page_size();
          std::memset(page, 0, static_cast<size_t>(page_size()));
          for (int64_t t = 0; t < page_tokens && first + t < s.cached + s.fresh; ++t) {
            int64_t row = s.keys + first + t, column = kv_head * head_dim_;
            Pages::pack_row(keys_.row_as<float>(row) + column, values_.row_as<float>(row) + column, t, head_dim_, page);
          }
        });
  }
  static int64_t pages(const SequencePlace& s) { return (s.cached + s.fresh + page_tokens - 1) / page_tokens; }

  // Pages of one kv head, as they are read: the keys of all, then the values of all.
  struct Stretch {
    SequencePlace at{};
    int64_t kv_head = 0, first = 0, last = -1;
    int64_t count() const { return last - first + 1; }
  };
  const std::byte* page_of(const Stretch& s, int64_t page, const Tensor& cache) const {
    if (packed_) return packed_ + ((s.at.pages + page) * items_.kv_heads + s.kv_head) * page_size();
    int64_t block = slots_[s.at.keys + page * page_tokens] / page_tokens;
    return cache.data + (block * items_.kv_heads + s.kv_head) * page_size();
  }
  const std::byte* keys_page(const Stretch& s, int64_t page) const { return page_of(s, page, keys_); }
  const std::byte* values_page(const Stretch& s, int64_t page) const {
    return page_of(s, page, values_) + page_size() / 2;
  }

  // What is read n half pages after the keys of page s.first, if that is known.
  const std::byte* upcoming(const Stretch& s, int64_t n) const {
    if (n < s.count()) return keys_page(s, s.first + n);
    n -= s.count();
    if (n < s.count()) return values_page(s, s.first + n);
    n -= s.count();
    return n < next_.count() ? keys_page(next_, next_.first + n) : nullptr;
  }
  // With few products for each byte, memory is the limit: then the distance covers its latency. Else the second-level cache,
  // which other blocks have filled, is near enough.
  const std::byte* later(const Stretch& s, int64_t n) const {
    constexpr int64_t distance = 48 << 10;
    return rows_ <= 6 ? upcoming(s, n + distance / (page_size() / 2)) : nullptr;
  }

  // Where the item that comes next begins.
  Stretch first_pages(const SequencePlace& s, int64_t item) const {
    int64_t segment_at = items_.first_segment(s), block = item;
    if (items_.is_split(s, worker_.count())) segment_at += item % items_.segments(s), block = item / items_.segments(s);
    int64_t first = segment_at * segment / page_tokens, last = (s.cached + s.fresh - 1) / page_tokens,
            most = first + segment / page_tokens - 1;
    return {s, block / items_.blocks(s), first, last < most ? last : most};
  }

  // Sets up the rows of a block: kv heads in turn, the last queries, which see most, first.
  void begin_block(const SequencePlace& s, int64_t item) {
    int64_t count = items_.blocks(s), group = items_.group;
    kv_head_ = item / count;
    int64_t first = (count - 1 - item % count) * block_rows, all = s.fresh * group;
    rows_ = all - first < block_rows ? all - first : block_rows;
    for (int64_t r = 0; r < rows_; ++r) {
      int64_t query = (first + r) / group, position = s.cached + query;
      row_[r] = {s.row + query, kv_head_ * group + (first + r) % group, items_.first_seen(position), position};
      put_query(r);
    }
  }
  void put_query(int64_t r) {
    const float* x = q_.row_as<float>(row_[r].token) + row_[r].head * head_dim_;
    for (int64_t d = 0; d < head_dim_; d += 32)
      Pages::put_factors(load_first(x + d, head_dim_ - d), load_rest(x + d, head_dim_ - d),
                         query_ + r * factor_step_ + Pages::factors(d));
  }
  // Elements 16 .. 31 of n, +0 past the end.
  static F32x16 load_rest(const float* x, int64_t n) { return n > 16 ? load_first(x + 16, n - 16) : F32x16(0.0f); }

  bool sees(int64_t r, int64_t start) const { return row_[r].first < start + segment && row_[r].last >= start; }

  void all_segments(const SequencePlace& s, int64_t item) {
    begin_block(s, item);
    int64_t first = row_[0].first / segment * segment;  // rows ascend
    Stretch afterwards = next_;
    for (int64_t start = first, last = row_[rows_ - 1].last; start <= last; start += segment) {
      int64_t following = start + segment;
      bool more = following <= last;
      next_ = more ? Stretch{s, kv_head_, following / page_tokens,
                             (last < following + segment ? last : following + segment - 1) / page_tokens}
                   : afterwards;
      attend(s, start, partial_);
      for (int64_t r = 0; r < rows_; ++r)
        if (sees(r, start)) merge(r, partial_, start <= row_[r].first);
    }
    finish();
  }
  void one_segment(const SequencePlace& s, int64_t item, int64_t n) {
    begin_block(s, item);
    attend(s, (items_.first_segment(s) + n) * segment, part_at(part(s, item, n)));
  }
  void merge_segments(const SequencePlace& s, int64_t item) {
    begin_block(s, item);
    for (int64_t n = 0; n < items_.segments(s); ++n)
      for (int64_t r = 0, start = (items_.first_segment(s) + n) * segment; r < rows_; ++r)
        if (sees(r, start)) merge(r, part_at(part(s, item, n)), start <= row_[r].first);
    finish();
  }
  float* part(const SequencePlace& s, int64_t item, int64_t n) const {
    return parts_ + (s.parts + item * items_.segments(s) + n) * part_floats();
  }

  // The rows over the segment that begins at position `start`: Attention::part.
  void attend(const SequencePlace& s, int64_t start, Part to) {
    int64_t first = -1, last = -1;  // pages that some row sees
    for (int64_t r = 0; r < rows_; ++r)
      if (sees(r, start)) {
        int64_t begin = begin_of(r, start) / page_tokens, end = end_of(r, start) / page_tokens;
        if (first < 0 || begin < first) first = begin;
        if (end > last) last = end;
      }
    if (first < 0) return;
    Stretch pages{s, kv_head_, first, last};
    score(pages);
    for (int64_t r = 0; r < rows_; ++r) soften(r, start, first, last, to);
    mix(pages, start, to);
  }
  // The positions of the segment that a row sees, both included; none where end < begin.
  int64_t begin_of(int64_t r, int64_t start) const { return row_[r].first > start ? row_[r].first : start; }
  int64_t end_of(int64_t r, int64_t start) const {
    return row_[r].last < start + segment - 1 ? row_[r].last : start + segment - 1;
  }

  // Dot products of all rows with the keys.
  void score(const Stretch& s) {
    for (int64_t p = 0; p < s.count(); ++p) {
      const std::byte *keys = Pages::keys(keys_page(s, s.first + p), head_dim_, turned_keys_),
                      *ahead = upcoming(s, p + 1), *after = later(s, p);
      for (int64_t d = 0; d < head_dim_; d += 32) {
        int64_t line = Pages::lines(d) * Pages::key_line;
        TileShape shape{rows_,        head_dim_ - d < 32 ? head_dim_ - d : 32, page_tokens, d == 0,
                        ahead + line, after ? after + line : nullptr};
        Pages::add_products(query_ + Pages::factors(d), factor_step_, keys + line, Pages::key_line,
                            scores_ + p * page_tokens, score_step, shape);
      }
    }
  }

  Factor* weights(int64_t r) const { return reinterpret_cast<Factor*>(scores_ + r * score_step); }

  // Scores of one row into weights 2^(x - top), in their place: a weight never takes more room than a score.
  void soften(int64_t r, int64_t start, int64_t first, int64_t last, Part to) {
    constexpr int64_t page_factors = Pages::factors(page_tokens);
    int64_t from = begin_of(r, start) - first * page_tokens, until = end_of(r, start) - first * page_tokens + 1;
    auto zero = [&](int64_t begin, int64_t end) {  // pages that other rows see
      if (begin < end)
        std::memset(weights(r) + begin * page_factors, 0,
                    static_cast<size_t>((end - begin) * page_factors) * sizeof(Factor));
    };
    if (from >= until) return zero(0, last - first + 1);
    int64_t begin = from / page_tokens, end = (until + page_tokens - 1) / page_tokens;

    float* x = scores_ + r * score_step;
    const ScaledAndCapped exponent = exponent_;  // which no store into x changes
    F32x16 lanes(-INFINITY);
    for (int64_t i = begin * page_tokens; i < end * page_tokens; i += 16) {
      F32x16 scaled = exponent(load(x + i));
      if (i < from || i + 16 > until) scaled = select(between(from - i, until - i), scaled, F32x16(-INFINITY));
      store(x + i, scaled);
      lanes = max(lanes, scaled);
    }
    to.top[r] = fold_max(lanes);

    F32x16 top(to.top[r]), sum(0.0f);
    auto weigh = [&](int64_t i) {  // of what is not seen, +0
      F32x16 p = exp2(load(x + i) - top);
      sum = sum + p;
      return p;
    };
    for (int64_t p = begin; p < end; ++p) {
      F32x16 low = weigh(p * page_tokens), high = weigh(p * page_tokens + 16);
      Pages::put_weights(low, high, weights(r) + p * page_factors);
    }
    to.sum[r] = fold_add(sum);
    zero(0, begin), zero(end, last - first + 1);
  }
  static Some between(int64_t begin, int64_t end) { return without(first_lanes(end), first_lanes(begin)); }

  // Weights times values. A weight of +0 hides a value, but not an infinity or a NaN: where a page is not seen whole by every
  // row and holds one, each row gets a copy of the page without what it does not see.
  void mix(const Stretch& s, int64_t start, Part to) {
    for (int64_t p = 0; p < s.count(); ++p) {
      const std::byte* page = values_page(s, s.first + p);
      const Factor* w = weights(0) + p * Pages::factors(page_tokens);
      if (seen_whole(s.first + p, start) || Pages::finite(page, head_dim_)) {
        int64_t read = s.count() + p;
        mix_page(w, page, to.mix, {rows_, page_tokens, head_dim_, p == 0, upcoming(s, read + 1), later(s, read)});
      } else {
        for (int64_t r = 0; r < rows_; ++r)
          mix_page(w + r * score_step, only_seen(page, r, (s.first + p) * page_tokens, start), to.mix + r * mix_step_,
                   {1, page_tokens, head_dim_, p == 0, nullptr, nullptr});
      }
    }
  }
  void mix_page(const Factor* w, const std::byte* page, float* to, TileShape shape) {
    Pages::add_products(w, score_step, page, Pages::value_line(head_dim_), to, mix_step_, shape);
  }
  bool seen_whole(int64_t p, int64_t start) const {
    bool whole = true;
    for (int64_t r = 0; r < rows_; ++r)
      whole &= begin_of(r, start) <= p * page_tokens && end_of(r, start) >= p * page_tokens + page_tokens - 1;
    return whole;
  }
  const std::byte* only_seen(const std::byte* values, int64_t r, int64_t position, int64_t start) {
    std::memcpy(clean_values_, values, static_cast<size_t>(page_size() / 2));
    for (int64_t t = 0; t < page_tokens; ++t)
      if (position + t < begin_of(r, start) || position + t > end_of(r, start))
        Pages::forget_value(clean_values_, t, head_dim_);
    return clean_values_;
  }

  // Attention::merge of a row.
  void merge(int64_t r, Part one, bool first) {
    float *all_mix = whole_.mix + r * mix_step_, *one_mix = one.mix + r * mix_step_;
    if (first) {
      whole_.top[r] = one.top[r], whole_.sum[r] = one.sum[r];
      std::memcpy(all_mix, one_mix, static_cast<size_t>(mix_step_) * sizeof(float));
      return;
    }
    F32x16 all_top(whole_.top[r]), one_top(one.top[r]), top = max(all_top, one_top);
    F32x16 a = exp2(all_top - top), b = exp2(one_top - top);
    whole_.top[r] = first_lane(top);
    whole_.sum[r] = first_lane(mul_add(F32x16(whole_.sum[r]), a, F32x16(one.sum[r]) * b));
    for (int64_t i = 0; i < mix_step_; i += 16)
      store(all_mix + i, mul_add(load(all_mix + i), a, load(one_mix + i) * b));
  }
  static float first_lane(F32x16 a) { return _mm256_cvtss_f32(low_half(a)); }

  void finish() {
    for (int64_t r = 0; r < rows_; ++r) {
      float* y = y_.row_as<float>(row_[r].token) + row_[r].head * head_dim_;
      F32x16 inverse = F32x16(1.0f) / F32x16(whole_.sum[r]);
      for (int64_t i = 0; i < head_dim_; i += 16)  // + 0: one sign of zero
        store_first(y + i, load(whole_.mix + r * mix_step_ + i) * inverse + F32x16(0.0f), head_dim_ - i);
    }
  }

  AttentionItems items_;
  Worker& worker_;
  const Tensor &q_, &keys_, &values_, &y_;
  const int32_t* slots_;
  ScaledAndCapped exponent_;
  int64_t head_dim_, factor_step_, mix_step_;
  std::byte* packed_ = nullptr;
  float *parts_, *scores_;
  Factor* query_;
  Part whole_, partial_;
  std::byte *turned_keys_, *clean_values_;
  int64_t kv_head_ = 0, rows_ = 0;
  Stretch next_;
  AttentionRow row_[block_rows];
};

template <class Pages>
void attention(const Op& op, const KernelMemory& m, Worker& w) {
  AttentionKernel<Pages>(*op.as<Attention>(), m, w).run();
}
template <class Pages>
size_t attention_shared_bytes(const Op& op, const KernelMemory& m) {
  return AttentionKernel<Pages>::shared_bytes(*op.as<Attention>(), m);
}

}  // namespace
}  // namespace ridgeline
