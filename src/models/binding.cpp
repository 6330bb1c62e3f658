#include "models/binding.h"

namespace ridgeline {

std::optional<BoundTensor> bind_tensor(const std::vector<TensorBinding>& table, const std::string& weight) {
  std::string pattern = weight, number;
  if (constexpr std::string_view layers = "layers."; pattern.starts_with(layers)) {
    size_t dot = pattern.find('.', layers.size());
    number = pattern.substr(layers.size(), dot - layers.size());
    pattern.replace(layers.size(), number.size(), "*");
  }
  for (const auto& rule : table)
    if (rule.weight == pattern) {
      std::string tensor(rule.tensor);
      if (size_t star = tensor.find('*'); star != tensor.npos) tensor.replace(star, 1, number);
      return BoundTensor{tensor, rule};
    }
  return {};
}

int64_t source_row(const TensorBinding& rule, int64_t n, int64_t rows, int64_t head_dim) {
  if (rule.interleaved_heads) {
    int64_t head = n / head_dim, i = n % head_dim, half = head_dim / 2;
    n = head * head_dim + (i < half ? 2 * i : 2 * (i - half) + 1);
  }
  return rule.part * rows + n;
}

}  // namespace ridgeline
