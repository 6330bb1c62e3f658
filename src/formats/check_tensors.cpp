#include "formats/check_tensors.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "tensor/blocks.h"

namespace ridgeline {

void check_tensors(const Checkpoint& model) {
  for (size_t i = 0; i < model.size(); ++i) {
    StoredTensor t = model.at(i);
    if (!t.dtype || !t.elements) continue;
    ReadingScope reading(t.name);
    DType type = *t.dtype;
    int64_t row = t.shape.empty() ? 1 : t.shape.back(), rows = t.elements / row;
    std::vector<float> values(static_cast<size_t>(row));
    for (int64_t r = 0; r < rows; ++r) {
      dequantize_row(type, t.bytes.data() + r * bytes_of(type, row), row, values.data());
      auto bad = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
      if (bad == values.end()) continue;
      int64_t at = bad - values.begin(), block = row_of(type).block;
      fail(ExitCode::bad_data, "not_finite",
           "tensor {} is not made of numbers: row {}, {} {} is {}; the file is damaged", t.text(), r,
           block > 1 ? "block" : "element", at / block, *bad);
    }
    if (t.file) t.file->drop(t.bytes);
  }
}

}  // namespace ridgeline
