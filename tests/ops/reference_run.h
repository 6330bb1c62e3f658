// Runs programs on the ops' reference evaluation alone, over tensors laid out as programs really see them: matrices in panels,
// keys and values in pages at scattered blocks. Data depends on names only, so two forms of one program see the same.
#pragma once
#include <xmmintrin.h>

#include <map>
#include <memory>
#include <numeric>
#include <random>

#include "ops/ops.h"
#include "tensor/blocks.h"

namespace ridgeline::test {

struct FlushDenormals {  // as every worker does
  unsigned before = _mm_getcsr();
  FlushDenormals() { _mm_setcsr(before | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(before); }
};

// Values to fill tensors with.
using Sample = std::function<float(std::mt19937&)>;
inline float ordinary(std::mt19937& r) { return std::normal_distribution<float>(0, 1)(r); }
inline float extreme(std::mt19937& r) {  // one in eight is a zero, a denormal, an infinity, a NaN or far from 1
  static const float odd[] = {0.0f, -0.0f, 1e-40f, -3e-39f, INFINITY, -INFINITY,
                              NAN,  3e38f, -1e30f, 1e-30f,  6e-8f,    65504.0f};
  return r() % 8 ? ordinary(r) : odd[r() % std::size(odd)];
}

struct TestSequence {
  std::vector<int32_t> tokens;  // the new ones
  int64_t cached = 0;
  std::vector<int32_t> blocks = {};  // of 32 positions each; none: blocks of its own
  int64_t logit_rows = 1;
};

// Sequences with distinct tokens throughout.
inline std::vector<TestSequence> sequences_of(const BatchShape& batch) {
  std::vector<TestSequence> list;
  int32_t token = 0;
  for (const auto& s : batch.sequences) {
    std::vector<int32_t> tokens(static_cast<size_t>(s.fresh));
    std::iota(tokens.begin(), tokens.end(), token);
    token += static_cast<int32_t>(s.fresh);
    list.push_back({tokens, s.cached, {}, s.logit_rows});
  }
  return list;
}

class ReferenceRun {
 public:
  static constexpr int blocks = 64;
  explicit ReferenceRun(Program p, int head_dim = 8, Sample sample = ordinary)
      : program_(std::move(p)),
        sample_(std::move(sample)),
        values_(program_.values.size()),
        memory_(values_.size()),
        touched_(values_.size()) {
    for (size_t i = 0; i < values_.size(); ++i) {
      const auto& v = program_.values[i];
      if (v.origin == Program::Origin::weight) make_weight(i, v.name);
      if (v.origin == Program::Origin::state) make_state(i, v.name, head_dim);
    }
    for (const auto& n : program_.nodes)
      for (size_t i = 0; auto from : n.op.consumed()) values_[at(n.results[i++])] = values_[at(from)];
  }

  // Evaluates every op. With S = Counted, FLOPs are in Counted::flops and the elements of each value in touched().
  template <class S = float>
  void step(const std::vector<TestSequence>& sequences) {
    FlushDenormals flush;
    make_inputs(sequences);
    BatchShape batch;
    for (const auto& s : sequences) batch.sequences.push_back({std::ssize(s.tokens), s.cached, s.logit_rows});
    for (size_t i = 0; i < values_.size(); ++i) {
      const auto& v = program_.values[i];
      if (v.origin == Program::Origin::computed && v.type.role != Role::kv)
        place(i, v.type.rows().at(batch), v.type.cols());
      if (v.origin == Program::Origin::input && v.type.role == Role::activation) make_activation(i, v.name, batch);
      if constexpr (std::is_same_v<S, Counted>) {
        auto elements = static_cast<size_t>(values_[i].rows * values_[i].cols);
        touched_[i] = {std::vector<bool>(elements), std::vector<bool>(elements)};
        values_[i].touched = &touched_[i];
      }
    }
    for (const auto& n : program_.nodes) n.op.evaluate(Memory<S>(values_, n.results));
  }

  const Program& program() const { return program_; }
  const Tensor& tensor(Value v) const { return values_[at(v)]; }
  const Touched& touched(Value v) const { return touched_[at(v)]; }
  std::vector<float> output(std::string_view name) const { return elements(tensor(program_.output(name))); }
  static std::vector<float> elements(const Tensor& t) {
    std::vector<float> out;
    for (int64_t r = 0; r < t.rows; ++r)
      for (int64_t c = 0; c < t.cols; ++c) out.push_back(load_element(t, r, c));
    return out;
  }

 private:
  static size_t at(Value v) { return static_cast<size_t>(v.id); }
  static std::mt19937 generator(const std::string& name) {
    uint32_t h = 2166136261u;
    for (char c : name) h = (h ^ static_cast<unsigned char>(c)) * 16777619u;
    return std::mt19937(h);
  }
  std::byte* room(size_t i, int64_t bytes) {
    memory_[i].assign(static_cast<size_t>(bytes), std::byte{0xAB});
    return memory_[i].data();
  }
  void place(size_t i, int64_t rows, int64_t cols) {
    DType t = program_.values[i].type.dtype;
    values_[i] = {t, Layout::rows, rows, cols, room(i, bytes_of(t, rows * cols))};
  }

  void make_weight(size_t i, const std::string& name) {
    const Type& t = program_.values[i].type;
    auto r = generator(name);
    int64_t rows = t.shape.size() == 2 ? t.rows().constant() : 1, cols = t.cols();
    std::vector<float> x(static_cast<size_t>(rows * cols));
    for (float& e : x) e = sample_(r);
    if (t.shape.size() == 1) {
      place(i, 1, cols);
      std::memcpy(values_[i].data, x.data(), x.size() * 4);
      return;
    }
    std::vector<std::byte> stored(static_cast<size_t>(bytes_of(t.dtype, rows * cols)));
    quantize_row(t.dtype, x.data(), rows * cols, stored.data());
    values_[i] = {t.dtype, Layout::panels, rows, cols, room(i, packed_bytes(t.dtype, rows, cols))};
    auto row = [&](int64_t n) { return stored.data() + bytes_of(t.dtype, n * cols); };
    pack_panels(t.dtype, rows, cols, row, values_[i].data, 0, panel_count(rows));
  }

  // Keys and values of a layer lie in one memory: k_cache owns it, v_cache shares it.
  void make_state(size_t i, const std::string& name, int head_dim) {
    const Type& t = program_.values[i].type;
    size_t dot = name.rfind('.');
    std::string layer = dot == name.npos ? "" : name.substr(0, dot);
    bool keys = name.substr(dot == name.npos ? 0 : dot + 1) == "k_cache";
    auto& pages = pages_[layer];
    if (pages.empty())
      pages.resize(static_cast<size_t>(blocks * (t.cols() / head_dim) * page_bytes(t.dtype, head_dim)));
    values_[i] = {t.dtype, keys ? Layout::keys : Layout::values, blocks * page_tokens, t.cols(), pages.data(),
                  head_dim};
    auto r = generator(name);
    for (int64_t s = 0; s < values_[i].rows; ++s)
      for (int64_t c = 0; c < t.cols(); ++c) store_element(values_[i], s, c, ordinary(r));
  }

  void make_activation(size_t i, const std::string& name, const BatchShape& batch) {
    auto r = generator(name);
    const Type& t = program_.values[i].type;
    place(i, t.rows().at(batch), t.cols());
    const Tensor& x = values_[i];
    for (int64_t row = 0; row < x.rows; ++row)
      if (t.dtype == DType::q8)
        for (int64_t g = 0; g < x.cols / 32; ++g)
          x.row_as<Q8Block>(row)[g] = Quantize::block<float>([&](int) { return sample_(r); });
      else
        for (int64_t c = 0; c < x.cols; ++c) store_element(x, row, c, sample_(r));
  }

  void make_inputs(const std::vector<TestSequence>& sequences) {
    std::map<std::string, std::vector<int32_t>> in;
    std::vector<int32_t> free(blocks);
    std::iota(free.begin(), free.end(), 0);
    std::shuffle(free.begin(), free.end(), std::mt19937(7));
    int32_t row = 0;
    for (const auto& s : sequences) {
      auto fresh = static_cast<int32_t>(s.tokens.size()), end = static_cast<int32_t>(s.cached) + fresh;
      in["tokens"].insert(in["tokens"].end(), s.tokens.begin(), s.tokens.end());
      in["sequences"].insert(in["sequences"].end(), {fresh, static_cast<int32_t>(s.cached)});
      auto mine = s.blocks;
      for (; mine.empty() || std::ssize(mine) * 32 < end; free.pop_back()) mine.push_back(free.back());
      for (int32_t p = 0; p < end; ++p) in["slots"].push_back(mine[static_cast<size_t>(p / 32)] * 32 + p % 32);
      for (int32_t p = end - fresh; p < end; ++p) in["positions"].push_back(p);
      row += fresh;
      for (auto k = static_cast<int32_t>(s.logit_rows); k > 0; --k) in["logit_rows"].push_back(row - k);
    }
    for (size_t i = 0; i < values_.size(); ++i) {
      const auto& v = program_.values[i];
      if (v.origin != Program::Origin::input || v.type.role != Role::index) continue;
      const auto& data = in.at(v.name);
      int64_t cols = v.type.shape.size() == 2 ? v.type.cols() : 1;
      place(i, std::ssize(data) / cols, cols);
      std::memcpy(values_[i].data, data.data(), data.size() * 4);
    }
  }

  Program program_;
  Sample sample_;
  std::vector<Tensor> values_;
  std::vector<std::vector<std::byte>> memory_;
  std::map<std::string, std::vector<std::byte>> pages_;
  std::vector<Touched> touched_;
};

// Bit for bit, sign of zero included; any NaN equals any NaN.
inline bool same_float(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (a != a && b != b);
}
inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_float);
}
inline bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.dtype != b.dtype || a.rows != b.rows || a.cols != b.cols) return false;
  if (a.dtype != DType::q8) return same_bits(ReferenceRun::elements(a), ReferenceRun::elements(b));
  for (int64_t r = 0; r < a.rows; ++r)
    for (int64_t g = 0; g < a.cols / 32; ++g) {
      const Q8Block &x = a.row_as<Q8Block>(r)[g], &y = b.row_as<Q8Block>(r)[g];
      if (!same_float(x.scale, y.scale) || !same_float(x.scaled_sum, y.scaled_sum) || std::memcmp(x.a, y.a, 32))
        return false;
    }
  return true;
}

}  // namespace ridgeline::test
