#include "runtime/weights.h"

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

// Rows of a tensor of the file, as the program wants them.
class Source {
 public:
  Source(const GgufFile& file, const ModelConfig& config, const Program::Entry& entry)
      : head_dim_(head_dim_of(config)) {
    auto bound = bind_tensor(gguf_bindings(config), entry.name);
    require(bound.has_value(), "no tensor name for weight {}", entry.name);
    rule_ = bound->rule;
    const GgufTensor& t = file.tensor(bound->tensor);
    type_ = file.dtype(t);
    cols_ = entry.type.cols();
    rows_ = entry.type.is_matrix() ? entry.type.rows().constant() : cols_;
    int64_t want = rows_ * rule_.parts * (entry.type.is_matrix() ? cols_ : 1);
    if (static_cast<int64_t>(t.elements) < want)
      fail(ExitCode::bad_data, "gguf_tensor_shape", "tensor {} holds {} elements, {} are needed", t.text(), t.elements,
           want);
    data_ = file.data(t);
  }
  DType type() const { return type_; }
  std::span<const std::byte> bytes() const { return data_; }
  const std::byte* row(int64_t n) const {
    return data_.data() + source_row(rule_, n, rows_, head_dim_) * bytes_of(type_, cols_);
  }
  void vector(float* to) const { dequantize_row(type_, data_.data() + bytes_of(type_, rule_.part * cols_), cols_, to); }

 private:
  TensorBinding rule_;
  DType type_;
  int64_t rows_, cols_;
  int head_dim_;
  std::span<const std::byte> data_;
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

Weights Weights::load(const Program& p, const GgufFile& file, const ModelConfig& config, Team& team) {
  Weights w(p);
  for (size_t i = 0; i < p.values.size(); ++i) {
    if (p.values[i].origin != Program::Origin::weight) continue;
    const Tensor& to = w.tensors_[i];
    Source source(file, config, p.values[i]);
    ReadingScope reading(p.values[i].name);
    if (to.layout == Layout::rows) {
      source.vector(to.as<float>());
    } else {
      team.run([&](Worker& worker) {
        worker.claim(panel_count(to.rows), 8, [&](int64_t first, int64_t last) {
          pack(to, source.type(), [&](int64_t n) { return source.row(n); }, first, last);
        });
      });
    }
    if (const MappedFile* mapping = file.mapping()) mapping->drop(source.bytes());
  }
  if (const MappedFile* mapping = file.mapping()) mapping->require_unchanged();
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
