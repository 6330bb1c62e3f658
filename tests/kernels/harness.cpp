#include "kernels/harness.h"

#include <algorithm>
#include <new>
#include <numeric>

#include "ops/quantize.h"
#include "tensor/blocks.h"

namespace ridgeline::test {
namespace {

constexpr std::align_val_t line{64};

// Bytes of a whole tensor.
size_t bytes_in(const Tensor& t) {
  if (t.layout == Layout::panels) return static_cast<size_t>(packed_bytes(t.dtype, t.rows, t.cols));
  if (t.layout == Layout::rows) return static_cast<size_t>(bytes_of(t.dtype, t.rows * t.cols));
  return static_cast<size_t>(2 * bytes_of(t.dtype, t.rows * t.cols));  // pages hold keys and values
}

template <class T>
T at(const std::vector<std::byte>& from, size_t i) {
  T x;
  std::memcpy(&x, from.data() + i * sizeof x, sizeof x);
  return x;
}
bool same(float a, float b) { return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (a != a && b != b); }

std::string compare_block(const Q8Block& a, const Q8Block& b) {
  if (!same(a.scale, b.scale)) return fmt::format("scale {:a}, expected {:a}", b.scale, a.scale);
  if (!same(a.scaled_sum, b.scaled_sum))
    return fmt::format("scaled sum {:a}, expected {:a}", b.scaled_sum, a.scaled_sum);
  for (int i = 0; i < 32; ++i)
    if (a.a[i] != b.a[i]) return fmt::format("code {} is {}, expected {}", i, b.a[i], a.a[i]);
  return "";
}

// Where two tensors of one type differ; any NaN equals any NaN.
std::string compare(const Tensor& t, const std::vector<std::byte>& expected, const std::vector<std::byte>& found) {
  auto place = [&](size_t i) {
    return fmt::format("element {} (row {}, column {})", i, static_cast<int64_t>(i) / t.cols,
                       static_cast<int64_t>(i) % t.cols);
  };
  if (t.dtype == DType::q8) {
    for (size_t i = 0; i < expected.size() / sizeof(Q8Block); ++i)
      if (std::string d = compare_block(at<Q8Block>(expected, i), at<Q8Block>(found, i)); !d.empty())
        return place(32 * i) + ": " + d;
    return "";
  }
  size_t size = static_cast<size_t>(row_of(t.dtype).block_bytes);
  for (size_t i = 0; i < expected.size() / size; ++i) {
    auto widened = [&](const std::vector<std::byte>& b) {
      return t.dtype == DType::f32    ? at<float>(b, i)
             : t.dtype == DType::bf16 ? bf16_to_f32(at<uint16_t>(b, i))
                                      : f16_to_f32(at<uint16_t>(b, i));
    };
    if (float a = widened(expected), b = widened(found); !same(a, b))
      return fmt::format("{}: {:a}, expected {:a}", place(i), b, a);
  }
  return "";
}

}  // namespace

// Exactly as large as the value, so that an address sanitizer sees a kernel read or write past it.
OneOp::Buffer::Buffer(size_t n)
    : size(n),
      bytes(static_cast<std::byte*>(::operator new(n, line)), [](std::byte* p) { ::operator delete(p, line); }) {
  std::memset(bytes.get(), 0, n);
}

OneOp::OneOp(Numbers numbers, uint32_t seed, BatchShape batch)
    : batch_(std::move(batch)), numbers_(numbers), random_(seed) {
  int64_t pages = 0;
  for (const auto& s : batch_.sequences) pages += (s.cached + s.fresh + page_tokens - 1) / page_tokens;
  pool_blocks_ = pages + pages / 2 + 1;
  blocks_.resize(static_cast<size_t>(pool_blocks_));
  std::iota(blocks_.begin(), blocks_.end(), 0);
  std::shuffle(blocks_.begin(), blocks_.end(), random_);
}

int64_t OneOp::random(int64_t least, int64_t most) {
  return std::uniform_int_distribution<int64_t>(least, most)(random_);
}

// Special values stand in every row of some tensors, and in few rows of others: what spreads from one place must show.
void OneOp::begin_tensor() { special_rows_ = random(0, 1) ? 1 : 40; }
void OneOp::begin_row() { special_row_ = numbers_ == Numbers::special && random(1, special_rows_) == 1; }

float OneOp::moderate() { return std::normal_distribution<float>()(random_); }
float OneOp::value() {
  float x = moderate();
  int64_t choice = random(0, 99);
  if (special_row_ && choice < 2) {
    constexpr float specials[] = {INFINITY, -INFINITY, NAN};
    return specials[random(0, 2)];
  }
  if (numbers_ == Numbers::small) {
    if (choice < 20) return choice < 10 ? 0.0f : -0.0f;
    if (choice < 40)
      return std::bit_cast<float>(static_cast<uint32_t>(random(0, 0x7fffff)) | static_cast<uint32_t>(choice % 2) << 31);
    if (choice < 50) return x * 0x1p-126f;
    if (choice < 55) return x * 0x1p-100f;
    if (choice < 58) return x * 0x1p+60f;
    if (choice < 60) return x * 0x1p+126f;
  }
  return x;
}

Value OneOp::add(Type type, Layout layout, Program::Origin origin, int head_dim) {
  int64_t rows = type.shape.size() == 2 || type.role != Role::weight ? type.rows().at(batch_) : 1;
  int64_t cols = type.shape.size() == 2 ? type.cols() : type.role == Role::index ? 1 : type.cols();
  if (layout == Layout::keys || layout == Layout::values) rows = pool_blocks_ * page_tokens;
  Tensor t{type.dtype, layout, rows, cols, nullptr, head_dim};
  t.data = buffers_.emplace_back(bytes_in(t)).bytes.get();
  tensors_.push_back(t);
  return program_.declare(fmt::format("v{}", tensors_.size()), std::move(type), origin);
}

void OneOp::fill_block(DType t, std::byte* block) {
  for (int64_t i = 0; i < row_of(t).block_bytes; ++i) block[i] = static_cast<std::byte>(random(0, 255));
  BlockCodes codes{};
  unpack_block(t, block, codes);
  for (uint16_t* half : {&codes.d, &codes.m}) {
    float scale = moderate() * 0.01f;
    int64_t choice = random(0, 9);
    uint16_t bits = f32_to_f16(scale);
    if (numbers_ == Numbers::small && choice < 5)
      bits = static_cast<uint16_t>((choice < 2 ? 0 : random(0, 0x3ff)) | random(0, 1) << 15);
    if (numbers_ == Numbers::small && choice == 5) bits = f32_to_f16(60000);
    if (numbers_ == Numbers::special && choice == 0) bits = f32_to_f16(scale > 0 ? INFINITY : NAN);
    *half = bits;
  }
  pack_block(t, codes, block);
}

void OneOp::fill_rows(const Tensor& t) {
  begin_tensor();
  for (int64_t r = 0; r < t.rows; ++r) {
    begin_row();
    if (t.dtype == DType::q8) {
      std::vector<float> x(32);
      for (int64_t g = 0; g < t.cols / 32; ++g) {
        for (float& e : x) e = value();
        t.row_as<Q8Block>(r)[g] = Quantize::block<float>([&](int i) { return x[static_cast<size_t>(i)]; });
      }
    } else if (is_grouped(t.dtype)) {
      const DTypeRow& type = row_of(t.dtype);
      for (int64_t i = 0; i < t.cols / type.block; ++i) fill_block(t.dtype, t.row(r) + i * type.block_bytes);
    } else {
      for (int64_t c = 0; c < t.cols; ++c) store_element(t, r, c, value());
    }
  }
}

Value OneOp::activation(DType type, Dim rows, int64_t cols) {
  Value v = add({type, {std::move(rows), Dim(cols)}}, Layout::rows, Program::Origin::input);
  fill_rows(tensor(v));
  return v;
}
Value OneOp::table(DType type, int64_t rows, int64_t cols) {
  Value v = add({type, {Dim(rows), Dim(cols)}, Role::weight}, Layout::rows, Program::Origin::weight);
  fill_rows(tensor(v));
  return v;
}
Value OneOp::weight(DType type, int64_t rows, int64_t cols) {
  Value v = add({type, {Dim(rows), Dim(cols)}, Role::weight}, Layout::panels, Program::Origin::weight);
  Tensor source{type, Layout::rows, rows, cols};
  Buffer from(bytes_in(source));
  source.data = from.bytes.get();
  fill_rows(source);
  pack_panels(type, rows, cols, [&](int64_t n) { return source.row(n); }, tensor(v).data, 0, panel_count(rows));
  return v;
}
Value OneOp::vector(int64_t cols) {
  Value v = add({DType::f32, {Dim(cols)}, Role::weight}, Layout::rows, Program::Origin::weight);
  fill_rows(tensor(v));
  return v;
}

Value OneOp::index(Dim rows, int64_t below) {
  Value v = add({DType::i32, {std::move(rows)}, Role::index}, Layout::rows, Program::Origin::input);
  for (int64_t r = 0; r < tensor(v).rows; ++r) tensor(v).as<int32_t>()[r] = static_cast<int32_t>(random(0, below - 1));
  return v;
}
Value OneOp::positions() {
  Value v = add({DType::i32, {Symbol::tokens}, Role::index}, Layout::rows, Program::Origin::input);
  auto* to = tensor(v).as<int32_t>();
  for (const auto& s : batch_.sequences)
    for (int64_t i = 0; i < s.fresh; ++i) *to++ = static_cast<int32_t>(s.cached + i);
  return v;
}
Value OneOp::sequences() {
  Value v = add({DType::i32, {Symbol::sequences, Dim(2)}, Role::index}, Layout::rows, Program::Origin::input);
  auto* to = tensor(v).as<int32_t>();
  for (const auto& s : batch_.sequences) *to++ = static_cast<int32_t>(s.fresh), *to++ = static_cast<int32_t>(s.cached);
  return v;
}
Value OneOp::slots() {
  Value v = add({DType::i32, {Symbol::keys}, Role::index}, Layout::rows, Program::Origin::input);
  auto* to = tensor(v).as<int32_t>();
  size_t page = 0;
  for (const auto& s : batch_.sequences) {
    int64_t length = s.cached + s.fresh;
    for (int64_t i = 0; i < length; ++i)
      *to++ =
          blocks_[page + static_cast<size_t>(i / page_tokens)] * page_tokens + static_cast<int32_t>(i % page_tokens);
    page += static_cast<size_t>((length + page_tokens - 1) / page_tokens);
  }
  return v;
}

Value OneOp::cache(DType type, Layout layout, int64_t kv_heads, int head_dim, bool before) {
  Symbol::Kind rows = before ? Symbol::cached : Symbol::keys;
  Value v = add({type, {rows, Dim(kv_heads * head_dim)}, Role::kv}, layout, Program::Origin::state, head_dim);
  const Tensor& t =
      tensor(v);  // every slot holds something, of this sequence or of another: what is not visible must not matter
  begin_tensor();
  for (int64_t r = 0; r < t.rows; ++r) {
    begin_row();
    for (int64_t c = 0; c < t.cols; ++c) store_element(t, r, c, value());
  }
  return v;
}

std::vector<std::byte> OneOp::contents(Value v) const {
  const Tensor& t = tensors_.at(static_cast<size_t>(v.id));
  return {t.data, t.data + bytes_in(t)};
}

void OneOp::set(Op op) {
  Values consumed = op.consumed(), results = program_.add(std::move(op));
  for (size_t i = 0; i < results.size(); ++i) {
    Type type = program_.type(results[i]);
    if (i < consumed.size()) {
      Tensor state = tensor(consumed[i]);
      tensors_.push_back(state);
      before_.push_back(contents(consumed[i]));
      continue;
    }
    Tensor t{type.dtype, Layout::rows, type.rows().at(batch_), type.cols()};
    t.data = buffers_.emplace_back(bytes_in(t)).bytes.get();
    tensors_.push_back(t);
    before_.emplace_back(bytes_in(t), std::byte{0xa5});  // nothing a kernel leaves out can look right
  }
  Team alone(1);
  alone.run([&](Worker&) { program_.nodes[0].op.evaluate(KernelMemory(tensors_, program_.nodes[0].results)); });
  for (Value v : program_.nodes[0].results) expected_.push_back(contents(v));
}

void OneOp::run(const Cell& cell, Team& team) {
  const Node& node = program_.nodes[0];
  KernelMemory memory(tensors_, node.results);
  if (cell.shared_bytes) team.reserve_shared(cell.shared_bytes(node.op, memory));
  team.run([&](Worker& w) { cell.run(node.op, memory, w); });
}

std::string OneOp::difference(const Cell& cell, Team& team) {
  const Node& node = program_.nodes[0];
  for (size_t i = 0; i < before_.size(); ++i)
    std::copy(before_[i].begin(), before_[i].end(), tensor(node.results[i]).data);
  run(cell, team);
  for (size_t i = 0; i < before_.size(); ++i)
    if (std::string d = compare(tensor(node.results[i]), expected_[i], contents(node.results[i])); !d.empty())
      return fmt::format("{} {} on {} workers, result {}: {}", cell.op, cell.signature.text(), team.size(), i, d);
  return "";
}

}  // namespace ridgeline::test
