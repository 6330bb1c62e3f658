#include "formats/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/printable.h"

namespace ridgeline {
namespace {

template <class... A>
[[noreturn]] void bad(std::string id, fmt::format_string<A...> text, A&&... args) {
  fail(ExitCode::bad_data, std::move(id), text, std::forward<A>(args)...);
}

// The shape of the tensor that holds a weight.
std::vector<int64_t> stored_shape(const Type& type, const TensorBinding& rule, int64_t rows) {
  if (!type.is_matrix()) return {rows};
  return rule.transposed ? std::vector{type.cols(), rows} : std::vector{rows, type.cols()};
}

bool computes(const StoredTensor& t, const Type& type, const TensorBinding& rule) {
  return t.dtype && ((type.is_matrix() && !rule.transposed) || is_float(*t.dtype));
}

// What comes before the number of the layer in the name of a tensor of a layer: "blk.". Empty for another.
std::string layer_prefix(std::string_view name, const TensorBinding& rule) {
  size_t star = rule.tensor.find('*');
  if (star == rule.tensor.npos) return {};
  name.remove_suffix(rule.tensor.size() - star - 1);
  while (!name.empty() && name.back() >= '0' && name.back() <= '9') name.remove_suffix(1);
  return std::string(name);
}

// Puts the path before what f() raises.
template <class F>
ModelDescription named_in_errors(const Checkpoint& c, F f) try {
  return f();
} catch (const Error& e) {
  if (c.path().empty()) throw;  // an image in memory
  throw e.loading(c.path());
}

void refuse_unsupported(const Checkpoint& c, const ModelDescription& model) {
  if (model.unsupported.empty()) return;
  std::vector<std::string> names;
  for (const auto& t : model.unsupported) names.push_back(t.text());
  bad(c.error_id("unsupported_type"),
      "nothing computes with the type of: {}.\nUse a file whose matrices are of one of {}, and its vectors of F32, F16 "
      "or "
      "BF16.",
      few(names), c.computing_types());
}

}  // namespace

std::vector<int64_t> StoredTensor::dimensions(std::vector<int64_t> row_major, FileFormat format) {
  if (format == FileFormat::gguf) std::reverse(row_major.begin(), row_major.end());
  return row_major;
}
std::string StoredTensor::shape_text(const std::vector<int64_t>& row_major, FileFormat format) {
  if (row_major.empty()) return "one number";
  return fmt::format("{}", fmt::join(dimensions(row_major, format), " x "));
}

std::string StoredTensor::text() const {
  std::string plain = printable(name);
  if (plain.size() == name.size() + 2) plain = name;  // nothing in it needs quotes
  return fmt::format("{} ({}, {})", plain, type, shape_text());
}

std::string Checkpoint::error_id(std::string_view what) const {
  return fmt::format("{}_{}", format() == FileFormat::gguf ? "gguf" : "safetensors", what);
}

void Checkpoint::require_unchanged() const {
  for (const MappedFile* file : files()) file->require_unchanged();
}

std::optional<StoredTensor> Checkpoint::find(const BoundTensor& bound) const {
  auto t = find(bound.tensor);
  return t || bound.or_tensor.empty() ? t : find(bound.or_tensor);
}

Checkpoint::Source Checkpoint::source(const ModelConfig& config, const std::string& weight) const {
  auto bound = bind_tensor(bindings(config), weight);
  require(bound.has_value(), "no tensor is bound to weight {}", weight);
  auto t = find(*bound);
  if (!t) bad(error_id("tensor_missing"), "tensor {} is missing; the file holds {} tensors.", bound->tensor, size());
  if (!t->dtype)
    bad(error_id("unsupported_type"),
        "tensor {}: the type {} is known, but nothing computes with it here.\nUse one of {}.", t->text(), t->type,
        computing_types());
  return {std::move(*t), bound->rule};
}

void Checkpoint::check_weights(ModelDescription& model) const {
  Program program = build(model.name, DType::f32, model.config);
  std::set<std::string, std::less<>> used;
  std::set<std::string> layers;
  for (const auto& v : program.values) {
    if (v.origin != Program::Origin::weight) continue;
    auto bound = bind_tensor(bindings(model.config), v.name);
    require(bound.has_value(), "no tensor is bound to weight {}", v.name);
    auto rows = rows_in_tensor(bindings(model.config), program, v.name, head_rows(model.config));
    auto want = stored_shape(v.type, bound->rule, rows.of);
    auto t = find(*bound);
    std::string want_text = StoredTensor::shape_text(want, format());
    if (!t) bad(error_id("tensor_missing"), "tensor {} ({}) is missing.", bound->tensor, want_text);
    if (t->shape != want)
      bad(error_id("tensor_shape"), "tensor {}: expected the shape {}, as the {} has it.", t->text(), want_text,
          format() == FileFormat::gguf ? "metadata" : "config");
    layers.insert(layer_prefix(t->name, bound->rule));
    if (used.insert(std::string(t->name)).second && !computes(*t, v.type, bound->rule))
      model.unsupported.push_back(std::move(*t));
  }
  layers.erase("");

  std::vector<std::string> in_layers, elsewhere;
  for (size_t i = 0; i < size(); ++i) {
    StoredTensor t = at(i);
    if (used.contains(t.name) || ignored(t.name)) continue;
    bool inside =
        std::any_of(layers.begin(), layers.end(), [&](const auto& prefix) { return t.name.starts_with(prefix); });
    (inside ? in_layers : elsewhere).push_back(t.text());
  }
  if (!in_layers.empty())
    bad(error_id("tensor_unexpected"),
        "the layers hold tensors that {} has no place for: {}.\n"
        "The file is of a variant that is not supported: without them its answers would be wrong.",
        model.config.family().architecture, few(in_layers));
  if (!elsewhere.empty())
    model.warnings.push_back(fmt::format("tensors that the model has no place for are ignored: {}", few(elsewhere)));
}

ModelDescription describe_model(const Checkpoint& c) {
  return named_in_errors(c, [&] { return c.describe(); });
}

ModelDescription read_model_config(const Checkpoint& c) {
  return named_in_errors(c, [&] {
    ModelDescription model = c.describe();
    refuse_unsupported(c, model);
    return model;
  });
}

std::string few(const std::vector<std::string>& items) {
  constexpr size_t most = 3;
  std::string out = fmt::format("{}", fmt::join(items.begin(), items.begin() + std::min(items.size(), most), ", "));
  return items.size() > most ? out + fmt::format(" and {} more", items.size() - most) : out;
}

std::string plain_name(std::string_view name) {
  std::string out(name.substr(0, 120));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out;
}

}  // namespace ridgeline
