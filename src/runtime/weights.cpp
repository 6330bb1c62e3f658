#include "runtime/weights.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "tensor/blocks.h"
#include "tensor/panels.h"

namespace ridgeline {
namespace {

// Kernels prefetch a little beyond a panel; what follows must be mapped. It also keeps neighbours on other cache lines.
constexpr int64_t gap = 8192;

int64_t bytes_of_weight(const Type& t) {
  return t.is_matrix() ? packed_bytes(t.dtype, t.rows().constant(), t.cols()) : t.cols() * 4;
}

// Rows of a stored tensor, as the program wants them.
class Source {
 public:
  Source(const Checkpoint& model, const ModelConfig& config, const Program& program, const Program::Entry& entry)
      : from_(model.source(config, entry.name)), cols_(entry.type.cols()) {
    const auto& [t, rule] = from_;
    rows_ = rows_in_tensor(model.bindings(config), program, entry.name, head_rows(config));
    bool matrix = entry.type.is_matrix();
    int64_t want = rows_.of * (matrix ? cols_ : 1);
    if (t.elements < want)
      fail(ExitCode::bad_data, model.error_id("tensor_shape"), "tensor {} holds {} elements, {} are needed", t.text(),
           t.elements, want);
    require(!rule.plus_one || !matrix, "only vectors are stored less 1");
    require(!rule.transposed || row_of(type()).block == 1, "only single elements are stored transposed");
  }
  DType type() const { return *from_.tensor.dtype; }

  // Row n, where it lies or gathered into `space`.
  const std::byte* row(int64_t n, std::vector<std::byte>& space) const {
    int64_t at = rows_.at(from_.rule, n);
    if (!from_.rule.transposed) return data() + at * bytes_of(type(), cols_);
    auto size = bytes_of(type(), 1), stride = rows_.of * size;
    space.resize(static_cast<size_t>(cols_ * size));
    for (int64_t k = 0; k < cols_; ++k)
      std::memcpy(space.data() + k * size, data() + k * stride + at * size, static_cast<size_t>(size));
    return space.data();
  }
  // Gives back the memory of the file's pages with rows [first, last) of the tensor, which have been read.
  void drop(int64_t first, int64_t last) const {
    if (!from_.tensor.file || from_.rule.transposed) return;
    auto row = static_cast<size_t>(bytes_of(type(), cols_));
    auto bytes = from_.tensor.bytes.first(std::min(static_cast<size_t>(last) * row, from_.tensor.bytes.size()));
    from_.tensor.file->drop(bytes.subspan(std::min(static_cast<size_t>(first) * row, bytes.size())));
  }
  void drop() const {
    if (from_.tensor.file) from_.tensor.file->drop(from_.tensor.bytes);
  }
  void vector(float* to) const {
    for (int64_t i = 0; i < cols_; ++i) {
      dequantize_row(type(), data() + bytes_of(type(), rows_.at(from_.rule, i)), 1, to + i);
      if (from_.rule.plus_one) to[i] += 1;
    }
  }

 private:
  const std::byte* data() const { return from_.tensor.bytes.data(); }
  Checkpoint::Source from_;
  TensorRows rows_;
  int64_t cols_;
};

// Packs panels [first, last) of a matrix whose rows are `in` wide, converting from -> to.type on the way.
template <class Row>
void pack(const Tensor& to, DType from, Row row, int64_t first, int64_t last) {
  if (from == to.dtype) return pack_panels(to.dtype, to.rows, to.cols, row, to.data, first, last);
  std::vector<float> values(static_cast<size_t>(to.cols));
  std::vector<std::byte> converted(static_cast<size_t>(bytes_of(to.dtype, to.cols)));
  auto convert = [&](int64_t n) -> const std::byte* {
    dequantize_row(from, row(n), to.cols, values.data());
    quantize_row(to.dtype, values.data(), to.cols, converted.data());
    return converted.data();
  };
  pack_panels(to.dtype, to.rows, to.cols, convert, to.data, first, last);
}

}  // namespace

int64_t Weights::bytes_needed(const Program& p) {
  int64_t sum = 0;
  for (const auto& v : p.values)
    if (v.origin == Program::Origin::weight) sum += (bytes_of_weight(v.type) + gap + 63) / 64 * 64;
  return sum;
}

Weights::Weights(const Program& p) : memory_(static_cast<size_t>(bytes_needed(p))), tensors_(p.values.size()) {
  std::byte* at = memory_.data();
  for (size_t i = 0; i < p.values.size(); ++i) {
    const auto& v = p.values[i];
    if (v.origin != Program::Origin::weight) continue;
    bool matrix = v.type.is_matrix();
    tensors_[i] = {v.type.dtype, matrix ? Layout::panels : Layout::rows, matrix ? v.type.rows().constant() : 1,
                   v.type.cols(), at};
    at += (bytes_of_weight(v.type) + gap + 63) / 64 * 64;
  }
}

Weights Weights::load(const Program& p, const Checkpoint& model, const ModelConfig& config, Team& team) {
  Weights w(p);
  for (size_t i = 0; i < p.values.size(); ++i) {
    if (p.values[i].origin != Program::Origin::weight) continue;
    const Tensor& to = w.tensors_[i];
    Source source(model, config, p, p.values[i]);
    ReadingScope reading(p.values[i].name);
    if (to.layout == Layout::rows) {
      source.vector(to.as<float>());
    } else {
      team.run([&](Worker& worker) {
        std::vector<std::byte> space;
        worker.claim(panel_count(to.rows), 8, [&](int64_t first, int64_t last) {
          pack(to, source.type(), [&](int64_t n) { return source.row(n, space); }, first, last);
          source.drop(first * panel_columns, last * panel_columns);  // a large tensor must not be in memory twice
        });
      });
    }
    source.drop();
  }
  model.require_unchanged();
  return w;
}

Weights Weights::make(const Program& p, const RowMaker& row) {
  Weights w(p);
  for (size_t i = 0; i < p.values.size(); ++i) {
    const auto& v = p.values[i];
    if (v.origin != Program::Origin::weight) continue;
    const Tensor& to = w.tensors_[i];
    if (to.layout == Layout::rows) {
      row(v.name, 0, to.as<float>());
      continue;
    }
    std::vector<float> values(static_cast<size_t>(to.cols));
    auto made = [&](int64_t n) {
      return row(v.name, n, values.data()), reinterpret_cast<const std::byte*>(values.data());
    };
    pack(to, DType::f32, made, 0, panel_count(to.rows));
  }
  return w;
}

}  // namespace ridgeline
