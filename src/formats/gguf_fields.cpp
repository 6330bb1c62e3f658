#include "formats/gguf_fields.h"

#include <algorithm>
#include <charconv>

#include "base/printable.h"
#include "tensor/blocks.h"

namespace ridgeline {
namespace {

template <class... A>
[[noreturn]] void bad(std::string id, fmt::format_string<A...> text, A&&... args) {
  fail(ExitCode::bad_data, std::move(id), text, std::forward<A>(args)...);
}

// Key of the rotary base: layers of a sliding window have one of their own, which older files leave out.
std::string_view base_key(LayerKind kind) {
  return kind == LayerKind::sliding ? "rope.freq_base_swa" : "rope.freq_base";
}

template <class T, class Limit>
void in_range(std::string_view key, T value, Limit least, Limit most) {
  if (!(value >= least && value <= most))  // a NaN is in no range
    bad("gguf_key_range", "metadata key {} is {}; expected {} to {}.", key, value, least, most);
}

}  // namespace

template <class T>
std::optional<T> GgufReadFields::find(const Field& f) {
  if (f.name.gguf.empty()) return {};
  if (f.required) return metadata_.get<T>(key(f.name.gguf));
  return metadata_.find<T>(key(f.name.gguf));
}

bool GgufReadFields::visit(int64_t& value, const Field& f, int64_t least, int64_t most) {
  if (f.name.gguf.empty()) return false;
  auto* entry = f.per_layer ? metadata_.find_entry(key(f.name.gguf)) : nullptr;
  if (entry && entry->is_array) {
    each_layer_alike(value, *entry);
  } else if (auto found = find<int64_t>(f)) {
    value = *found;
  } else {
    return false;
  }
  in_range(key(f.name.gguf), value, least, most);
  return true;
}

bool GgufReadFields::visit(float& value, const Field& f, double least, double most) {
  auto found = find<double>(f);
  if (!found) return false;
  in_range(key(f.name.gguf), *found, least, most);
  value = static_cast<float>(*found);
  return true;
}

bool GgufReadFields::visit(std::string& value, const Field& f) {
  auto found = find<std::string>(f);
  if (found) value = *found;
  return found.has_value();
}

bool GgufReadFields::visit(bool& value, const Field& f) {
  auto found = find<bool>(f);
  value = found.value_or(value);
  return found.has_value();
}

bool GgufReadFields::visit(std::vector<std::string>& value, const Field& f) {
  if (f.name.gguf.empty()) return false;
  auto found = metadata_.find_array<std::string>(key(f.name.gguf));
  if (found) value = std::move(*found);
  return found.has_value();
}

void GgufReadFields::each_layer_alike(int64_t& value, const GgufEntry& entry) const {
  auto values = metadata_.get_array<int64_t>(entry.key);
  if (static_cast<int64_t>(values.size()) != layers_)
    bad("gguf_key_range", "metadata key {} has {} elements; expected {}, one for each layer.", entry.key, values.size(),
        layers_);
  if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) != values.end())
    bad("unsupported_model", "metadata key {} is {}: layers that differ in shape are not supported.", entry.key,
        metadata_.show(entry));
  value = values.at(0);
}

// Layers by the names of their tensors must be exactly 0 .. layers - 1.
void GgufReadFields::check_layers(int64_t layers) {
  layers_ = layers;
  std::vector<bool> present(static_cast<size_t>(layers));
  for (auto& t : file_.tensors()) {
    constexpr std::string_view prefix = "blk.";
    if (!t.name.starts_with(prefix)) continue;
    int64_t layer = -1;
    const char* end = t.name.data() + t.name.size();
    auto [at, error] = std::from_chars(t.name.data() + prefix.size(), end, layer);
    if (error != std::errc() || at == end || *at != '.') continue;
    if (layer < 0 || layer >= layers)
      bad("gguf_layers", "tensor {} belongs to layer {}, but block_count is {}.", t.text(), layer, layers);
    present[static_cast<size_t>(layer)] = true;
  }
  auto missing = std::find(present.begin(), present.end(), false);
  if (missing != present.end())
    bad("gguf_layers", "block_count is {}, but there is no tensor of layer {}; {} layers are there.", layers,
        missing - present.begin(), std::count(present.begin(), present.end(), true));
}

// At least as many rows as there are tokens.
void GgufReadFields::vocabulary(int64_t& rows) {
  const GgufTensor& embedding = file_.tensor("token_embd.weight");
  if (embedding.rank != 2 || embedding.ne[1] > static_cast<uint64_t>(limits::vocabulary))
    bad("gguf_tensor_shape", "tensor {}: expected two dimensions and at most {} rows.", embedding.text(),
        limits::vocabulary);
  rows = static_cast<int64_t>(embedding.ne[1]);
  auto needs = [&](std::string_view name, int64_t tokens) {
    if (rows < tokens)
      bad("gguf_vocabulary", "{} has {} tokens, but tensor {} has only {} rows.", name, tokens, embedding.text(), rows);
  };
  int64_t size = 0;
  if (visit(size, {{"vocab_size", ""}}, 1, limits::vocabulary)) needs("metadata key vocab_size", size);
  if (auto* tokens = metadata_.find_entry("tokenizer.ggml.tokens"); tokens && tokens->is_array)
    needs(tokens->key, static_cast<int64_t>(tokens->count));
}

constexpr double stretch_least = 1.0 / 1024, stretch_most = 1 << 20;

// Linear scaling, the tensor of Llama 3.1 and later, or both; layers of a sliding window are not stretched.
void GgufReadFields::partial_rotary(float& base, std::vector<float>& factors, int& turned, int head_dim,
                                    LayerKind kind) {
  find_real(base, {base_key(kind), ""}, 1, 1e12);
  if (kind == LayerKind::sliding) return;
  find_whole(turned, {"rope.dimension_count", ""}, 0, limits::head_dim);
  if (turned % 2 || turned == 0 || turned > head_dim)
    bad("gguf_key_range", "rope.dimension_count is {}; expected an even number up to {}, the elements of a head.",
        turned, head_dim);

  float linear = 1;
  find_real(linear, {"rope.scale_linear", ""}, stretch_least, stretch_most);  // its name in older files
  find_real(linear, {"rope.scaling.factor", ""}, stretch_least, stretch_most);
  int64_t original = 0;
  find_whole(original, {"rope.scaling.original_context_length", ""}, 1, limits::context);
  std::string type = "linear";
  visit(type, {{"rope.scaling.type", ""}});
  if (type != "none" && type != "linear")
    bad("unsupported_model", "rotary scaling of type {} is not supported; expected none or linear.", printable(type));
  ignore({"rope.scaling.finetuned", ""});
  factors = stretched(type == "none" ? 1 : linear, turned);
}

std::vector<float> GgufReadFields::stretched(float linear, int turned) const {
  std::vector<float> factors;
  auto half = static_cast<uint64_t>(turned / 2);
  if (auto* t = file_.find_tensor("rope_freqs.weight")) {
    if (t->elements != half || t->type->dtype != DType::f32)
      bad("gguf_tensor_shape", "tensor {}: expected F32, {}: one for each pair that turns.", t->text(), half);
    factors.resize(half);
    dequantize_row(DType::f32, file_.data(*t).data(), static_cast<int64_t>(half), factors.data());
    for (float& f : factors) {
      if (!(f >= stretch_least && f <= stretch_most))
        bad("gguf_key_range", "tensor {} holds {}; expected values from {} to {}.", t->text(), f, stretch_least,
            stretch_most);
      f *= linear;
    }
  } else if (linear != 1) {
    factors.assign(half, linear);
  }
  return factors;
}

std::vector<std::string> GgufReadFields::left() const {
  constexpr std::string_view of_no_consequence[] = {"tensor_data_layout", "attention.layer_norm_epsilon"};
  std::vector<std::string> keys;
  for (auto& e : metadata_.entries()) {
    if (!e.key.starts_with(prefix_) || asked_.contains(std::string(e.key))) continue;
    if (std::ranges::find(of_no_consequence, e.key.substr(prefix_.size())) == std::end(of_no_consequence))
      keys.emplace_back(e.key);
  }
  return keys;
}

bool GgufWriteFields::visit(int64_t& value, const Field& f, int64_t, int64_t) {
  return set(f.name, static_cast<uint32_t>(value));
}
bool GgufWriteFields::visit(float& value, const Field& f, double, double) { return set(f.name, value); }
bool GgufWriteFields::visit(std::string& value, const Field& f) { return set(f.name, std::string_view(value)); }
bool GgufWriteFields::visit(bool& value, const Field& f) { return set(f.name, value); }
bool GgufWriteFields::visit(std::vector<std::string>& value, const Field& f) {
  if (!f.name.gguf.empty()) header_.set_array(prefix_ + std::string(f.name.gguf), value);
  return true;
}

void GgufWriteFields::partial_rotary(float& base, std::vector<float>& factors, int& turned, int, LayerKind kind) {
  set({base_key(kind), ""}, base);
  if (kind == LayerKind::sliding) return;
  set({"rope.dimension_count", ""}, static_cast<uint32_t>(turned));
  if (factors.empty()) return;
  if (std::ranges::adjacent_find(factors, std::not_equal_to<>()) != factors.end()) {
    rope_freqs_ = factors;
  } else {
    set({"rope.scaling.type", ""}, std::string_view("linear"));
    set({"rope.scaling.factor", ""}, factors[0]);
  }
}

}  // namespace ridgeline
