#include "models/binding.h"

namespace ridgeline {

namespace {

constexpr std::string_view layers = "layers.";

// The number of a layer's weight; empty for another.
std::string layer_of(std::string_view weight) {
  if (!weight.starts_with(layers)) return {};
  return std::string(weight.substr(layers.size(), weight.find('.', layers.size()) - layers.size()));
}
std::string with_layer(std::string_view pattern, const std::string& number) {
  std::string name(pattern);
  if (size_t star = name.find('*'); star != name.npos) name.replace(star, 1, number);
  return name;
}

}  // namespace

std::optional<BoundTensor> bind_tensor(const std::vector<TensorBinding>& table, const std::string& weight) {
  std::string pattern = weight, number = layer_of(weight);
  if (!number.empty()) pattern.replace(layers.size(), number.size(), "*");
  for (const auto& rule : table)
    if (rule.weight == pattern)
      return BoundTensor{with_layer(rule.tensor, number), with_layer(rule.or_tensor, number), rule};
  return {};
}

TensorRows rows_in_tensor(const std::vector<TensorBinding>& table, const Program& program, const std::string& weight,
                          const HeadRows& heads) {
  auto bound = bind_tensor(table, weight);
  require(bound.has_value(), "no tensor is bound to weight {}", weight);
  TensorRows found{.heads = heads};
  for (const auto& rule : table) {
    if (rule.tensor != bound->rule.tensor) continue;
    std::string name = with_layer(rule.weight, layer_of(weight));
    Value sibling = program.find(name);
    if (!sibling) continue;
    const Type& type = program.type(sibling);
    int64_t rows = type.is_matrix() ? type.rows().constant() : type.cols();
    if (name == weight) found.first = found.of, found.rows = rows;
    found.of += rows;
  }
  return found;
}

int64_t TensorRows::at(const TensorBinding& rule, int64_t n) const {
  if (rule.interleaved_heads) {
    int64_t i = n % heads.head_dim, half = heads.turned / 2;
    if (i < heads.turned) n += (i < half ? 2 * i : 2 * (i - half) + 1) - i;
  }
  if (!rule.by_kv_head) return first + n;
  int64_t share = rows / heads.kv_heads;
  return n / share * (of / heads.kv_heads) + first / heads.kv_heads + n % share;
}

}  // namespace ridgeline
