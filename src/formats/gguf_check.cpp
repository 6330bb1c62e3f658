#include "formats/gguf_check.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "tensor/blocks.h"

namespace ridgeline {

void check_tensors(const GgufFile& file) {
  for (const GgufTensor& t : file.tensors()) {
    if (!t.type->dtype) continue;
    ReadingScope reading(t.name);
    DType type = file.dtype(t);
    auto data = file.data(t);
    auto row = static_cast<int64_t>(t.ne[0]), rows = static_cast<int64_t>(t.elements) / row;
    std::vector<float> values(static_cast<size_t>(row));
    for (int64_t r = 0; r < rows; ++r) {
      dequantize_row(type, data.data() + r * bytes_of(type, row), row, values.data());
      auto bad = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
      if (bad == values.end()) continue;
      int64_t at = bad - values.begin(), block = row_of(type).block;
      fail(ExitCode::bad_data, "not_finite",
           "tensor {} is not made of numbers: row {}, {} {} is {}; the file is damaged", t.text(), r,
           block > 1 ? "block" : "element", at / block, *bad);
    }
    if (const MappedFile* mapping = file.mapping()) mapping->drop(data);
  }
}

}  // namespace ridgeline
