#include "formats/gguf_config.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/limits.h"
#include "tensor/blocks.h"

namespace ridgeline {
namespace {

template <class... A>
[[noreturn]] void bad(std::string id, fmt::format_string<A...> text, A&&... args) {
  fail(ExitCode::bad_data, std::move(id), text, std::forward<A>(args)...);
}

// "a, b, c and 9 more": as much of a list as a message should hold.
std::string few(const std::vector<std::string>& items) {
  constexpr size_t most = 3;
  std::string out = fmt::format("{}", fmt::join(items.begin(), items.begin() + std::min(items.size(), most), ", "));
  return items.size() > most ? out + fmt::format(" and {} more", items.size() - most) : out;
}

// The keys "ARCH.*" of one architecture. Each value is held to a range as it is read; keys that nobody asked for are
// left.
class Keys {
 public:
  Keys(const GgufMetadata& metadata, std::string_view arch) : metadata_(metadata), prefix_(std::string(arch) + '.') {}

  std::optional<int64_t> find_whole(std::string_view key, int64_t least, int64_t most) {
    return in_range(key, metadata_.find<int64_t>(name(key)), least, most);
  }
  int64_t whole(std::string_view key, int64_t least, int64_t most) {
    return *in_range(key, std::optional(metadata_.get<int64_t>(name(key))), least, most);
  }
  std::optional<double> find_real(std::string_view key, double least, double most) {
    return in_range(key, metadata_.find<double>(name(key)), least, most);
  }
  double real(std::string_view key, double least, double most) {
    return *in_range(key, std::optional(metadata_.get<double>(name(key))), least, most);
  }
  std::optional<std::string> find_text(std::string_view key) { return metadata_.find<std::string>(name(key)); }

  // One number for all layers, or an array with one for each: here they must be equal.
  std::optional<int64_t> find_each(std::string_view key, int64_t layers, int64_t least, int64_t most) {
    auto* entry = metadata_.find_entry(name(key));
    if (!entry || !entry->is_array) return find_whole(key, least, most);
    auto values = metadata_.get_array<int64_t>(entry->key);
    if (static_cast<int64_t>(values.size()) != layers)
      bad("gguf_key_range", "metadata key {} has {} elements; expected {}, one for each layer.", entry->key,
          values.size(), layers);
    if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) != values.end())
      bad("unsupported_model", "metadata key {} is {}: layers that differ in shape are not supported.", entry->key,
          metadata_.show(*entry));
    return in_range(key, std::optional(values.at(0)), least, most);
  }
  int64_t each(std::string_view key, int64_t layers, int64_t least, int64_t most) {
    if (auto value = find_each(key, layers, least, most)) return *value;
    return whole(key, least, most);  // raises: it is missing
  }

  void ignore(std::string_view key) { name(key); }
  std::vector<std::string> left() const {
    std::vector<std::string> keys;
    for (auto& e : metadata_.entries())
      if (e.key.starts_with(prefix_) && !asked_.contains(std::string(e.key))) keys.emplace_back(e.key);
    return keys;
  }

 private:
  std::string name(std::string_view key) { return *asked_.insert(prefix_ + std::string(key)).first; }

  template <class T>
  std::optional<T> in_range(std::string_view key, std::optional<T> value, T least, T most) {
    if (value && !(*value >= least && *value <= most))  // a NaN is in no range
      bad("gguf_key_range", "metadata key {} is {}; expected {} to {}.", name(key), *value, least, most);
    return value;
  }

  const GgufMetadata& metadata_;
  std::string prefix_;
  std::set<std::string> asked_;
};

constexpr double eps_least = 1e-20, eps_most = 1;

// Layers by the names of their tensors must be exactly 0 .. layers - 1. Comes before anything is built of that many.
void check_layers(const GgufFile& file, int64_t layers) {
  std::vector<bool> present(static_cast<size_t>(layers));
  for (auto& t : file.tensors()) {
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

// Rows of the token embedding: at least as many as there are tokens.
int64_t embedding_rows(const GgufFile& file, Keys& keys) {
  const GgufTensor& embedding = file.tensor("token_embd.weight");
  if (embedding.rank != 2 || embedding.ne[1] > static_cast<uint64_t>(limits::vocabulary))
    bad("gguf_tensor_shape", "tensor {}: expected two dimensions and at most {} rows.", embedding.text(),
        limits::vocabulary);
  auto rows = static_cast<int64_t>(embedding.ne[1]);
  auto needs = [&](std::string_view key, int64_t tokens) {
    if (rows < tokens)
      bad("gguf_vocabulary", "{} has {} tokens, but tensor {} has only {} rows.", key, tokens, embedding.text(), rows);
  };
  if (auto size = keys.find_whole("vocab_size", 1, limits::vocabulary)) needs("metadata key vocab_size", *size);
  if (auto* tokens = file.metadata().find_entry("tokenizer.ggml.tokens"); tokens && tokens->is_array)
    needs(tokens->key, static_cast<int64_t>(tokens->count));
  return rows;
}

// Divisors of the rotary frequencies: linear scaling, the tensor of Llama 3.1 and later, or both.
std::vector<float> rotary_factors(const GgufFile& file, Keys& keys, int64_t head_dim) {
  constexpr double least = 1.0 / 1024, most = 1 << 20;
  auto factor = keys.find_real("rope.scaling.factor", least, most);
  auto before = keys.find_real("rope.scale_linear", least, most);  // its name in older files
  keys.find_whole("rope.scaling.original_context_length", 1, limits::context);
  std::string type = keys.find_text("rope.scaling.type").value_or("linear");
  if (type != "none" && type != "linear")
    bad("unsupported_model", "rotary scaling of type {} is not supported; expected none or linear.", printable(type));
  double linear = type == "none" ? 1 : factor.value_or(before.value_or(1));

  std::vector<float> factors;
  auto half = static_cast<uint64_t>(head_dim / 2);
  if (auto* t = file.find_tensor("rope_freqs.weight")) {
    if (t->elements != half || t->type->dtype != DType::f32)
      bad("gguf_tensor_shape", "tensor {}: expected F32, {}: half of a head.", t->text(), half);
    factors.resize(half);
    dequantize_row(DType::f32, file.data(*t).data(), static_cast<int64_t>(half), factors.data());
    for (float& f : factors) {
      if (!(f >= least && f <= most))
        bad("gguf_key_range", "tensor {} holds {}; expected values from {} to {}.", t->text(), f, least, most);
      f *= static_cast<float>(linear);
    }
  } else if (linear != 1) {
    factors.assign(half, static_cast<float>(linear));
  }
  return factors;
}

void refuse_experts(Keys& keys) {
  if (auto experts = keys.find_whole("expert_count", 0, INT32_MAX); experts.value_or(0) > 0)
    bad("unsupported_model", "the model has {} experts a layer; mixtures of experts are not supported.", *experts);
  keys.ignore("expert_used_count");
}

int as_int(int64_t n) { return static_cast<int>(n); }  // n is within a row of base/limits.h

struct Heads {
  int64_t count, kv, dim;
};
Heads read_heads(Keys& keys, int64_t layers, int64_t dim) {
  Heads h{keys.each("attention.head_count", layers, 1, limits::heads), 0, 0};
  h.kv = keys.find_each("attention.head_count_kv", layers, 1, limits::heads).value_or(h.count);
  if (h.count % h.kv)
    bad("gguf_key_range", "attention.head_count {} is not a multiple of attention.head_count_kv {}.", h.count, h.kv);
  auto key = keys.find_whole("attention.key_length", 1, limits::head_dim);
  auto value = keys.find_whole("attention.value_length", 1, limits::head_dim);
  if (!key && dim % h.count)
    bad("gguf_key_range", "embedding_length {} is not a multiple of attention.head_count {}.", dim, h.count);
  h.dim = key.value_or(dim / h.count);
  if (value.value_or(h.dim) != h.dim)
    bad("unsupported_model", "attention.value_length {} differs from the length of a key, {}.", *value, h.dim);
  if (h.dim % 2 || h.dim < 2 || h.dim > limits::head_dim || h.count * h.dim > limits::dimension)
    bad("gguf_key_range", "{} heads of {} elements; expected an even number of elements from 2 to {}, {} in all heads.",
        h.count, h.dim, limits::head_dim, limits::dimension);
  return h;
}

LlamaConfig read_llama(const GgufFile& file, Keys& keys, int64_t layers) {
  refuse_experts(keys);
  int64_t dim = keys.whole("embedding_length", 1, limits::dimension);
  Heads heads = read_heads(keys, layers, dim);
  int64_t rotary = keys.find_whole("rope.dimension_count", 0, limits::head_dim).value_or(heads.dim);
  if (rotary % 2 || rotary == 0 || rotary > heads.dim)
    bad("gguf_key_range", "rope.dimension_count is {}; expected an even number up to {}, the elements of a head.",
        rotary, heads.dim);
  if (rotary != heads.dim)
    bad("unsupported_model",
        "rope.dimension_count is {}; positions that turn only a part of the {} elements of a head "
        "are not supported.",
        rotary, heads.dim);
  for (auto key : {"tensor_data_layout", "rope.scaling.finetuned", "attention.layer_norm_epsilon"}) keys.ignore(key);
  return {.layers = as_int(layers),
          .dim = as_int(dim),
          .heads = as_int(heads.count),
          .kv_heads = as_int(heads.kv),
          .ffn = as_int(keys.each("feed_forward_length", layers, 1, limits::dimension)),
          .vocab = embedding_rows(file, keys),
          .context = keys.whole("context_length", 1, limits::context),
          .head_dim = as_int(heads.dim),
          .rope_base = static_cast<float>(keys.find_real("rope.freq_base", 1, 1e12).value_or(10000)),
          .rope_factors = rotary_factors(file, keys, heads.dim),
          .eps = static_cast<float>(keys.real("attention.layer_norm_rms_epsilon", eps_least, eps_most)),
          .window = as_int(keys.find_whole("attention.sliding_window", 0, limits::context).value_or(0)),
          .tied = !file.find_tensor("output.weight")};
}

Gpt2Config read_gpt2(const GgufFile& file, Keys& keys, int64_t layers) {
  refuse_experts(keys);
  int64_t dim = keys.whole("embedding_length", 1, limits::dimension);
  Heads heads = read_heads(keys, layers, dim);
  if (heads.kv != heads.count || heads.dim * heads.count != dim)
    bad("unsupported_model",
        "gpt2 with {} heads of {} elements, {} for keys and values; expected them to share the {} "
        "of embedding_length.",
        heads.count, heads.dim, heads.kv, dim);
  for (auto key : {"tensor_data_layout", "rope.dimension_count"}) keys.ignore(key);
  return {.layers = as_int(layers),
          .dim = as_int(dim),
          .heads = as_int(heads.count),
          .vocab = embedding_rows(file, keys),
          .context = keys.whole("context_length", 1, limits::context),
          .ffn = as_int(keys.each("feed_forward_length", layers, 1, limits::dimension)),
          .eps = static_cast<float>(keys.real("attention.layer_norm_epsilon", eps_least, eps_most)),
          .tied = !file.find_tensor("output.weight")};
}

// The file's shape of the tensor behind a weight: 64 x 192.
struct Wanted {
  int rank;
  uint64_t columns, rows;
  std::string text() const { return rank == 1 ? fmt::format("{}", columns) : fmt::format("{} x {}", columns, rows); }
};
Wanted wanted(const Type& type, const TensorBinding& rule) {
  auto columns = static_cast<uint64_t>(type.cols()), parts = static_cast<uint64_t>(rule.parts);
  if (!type.is_matrix()) return {1, columns * parts, 1};
  return {2, columns, static_cast<uint64_t>(type.rows().constant()) * parts};
}

bool computes(const GgufTensor& t, const Type& type) {
  return t.type->dtype && (type.is_matrix() || is_float(*t.type->dtype));
}

void check_weights(const GgufFile& file, GgufModel& model) {
  Program program = build(model.name, DType::f32, model.config);
  std::set<std::string, std::less<>> used;
  for (const auto& v : program.values) {
    if (v.origin != Program::Origin::weight) continue;
    auto bound = bind_tensor(gguf_bindings(model.config), v.name);
    require(bound.has_value(), "no tensor is bound to weight {}", v.name);
    Wanted want = wanted(v.type, bound->rule);
    auto* t = file.find_tensor(bound->tensor);
    if (!t) bad("gguf_tensor_missing", "tensor {} ({}) is missing.", bound->tensor, want.text());
    if (t->rank != want.rank || t->ne[0] != want.columns || t->ne[1] != want.rows)
      bad("gguf_tensor_shape", "tensor {}: expected the shape {}, as the metadata has it.", t->text(), want.text());
    if (used.insert(bound->tensor).second && !computes(*t, v.type)) model.unsupported.push_back(t);
  }

  std::vector<std::string> in_layers, elsewhere;
  for (auto& t : file.tensors()) {
    if (used.contains(t.name) || t.name == "rope_freqs.weight") continue;
    (t.name.starts_with("blk.") ? in_layers : elsewhere).push_back(t.text());
  }
  if (!in_layers.empty())
    bad("gguf_tensor_unexpected",
        "the layers hold tensors that {} has no place for: {}.\n"
        "The file is of a variant that is not supported: without them its answers would be wrong.",
        gguf_architecture(model.config), few(in_layers));
  if (!elsewhere.empty())
    model.warnings.push_back(fmt::format("tensors that the model has no place for are ignored: {}", few(elsewhere)));
}

// Fit for a terminal, a JSON string and one line of a table.
std::string plain_name(std::string_view name) {
  std::string out(name.substr(0, 120));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out;
}

GgufModel describe(const GgufFile& file) {
  const GgufMetadata& metadata = file.metadata();
  std::string arch = metadata.find<std::string>("general.architecture").value_or("");
  if (arch != "llama" && arch != "gpt2")
    bad("unsupported_arch", "general.architecture is {}; expected one of: llama, gpt2.",
        metadata.has("general.architecture") ? printable(arch) : "missing");
  if (auto kind = metadata.find<std::string>("general.type"); kind && *kind != "model")
    bad("unsupported_model", "the file holds {}, by general.type; expected a model.", printable(*kind));
  if (auto parts = metadata.find<int64_t>("split.count"); parts.value_or(1) != 1)
    bad("unsupported_model", "the file is one of {} parts; merge them into one file first (llama-gguf-split --merge).",
        *parts);

  Keys keys(metadata, arch);
  int64_t layers = keys.whole("block_count", 1, limits::layers);
  check_layers(file, layers);
  GgufModel model;
  model.name = plain_name(metadata.find<std::string>("general.name").value_or(arch));
  if (arch == "llama")
    model.config = read_llama(file, keys, layers);
  else
    model.config = read_gpt2(file, keys, layers);
  if (auto left = keys.left(); !left.empty())
    model.warnings.push_back(fmt::format("metadata keys that are not known here are ignored: {}", few(left)));
  check_weights(file, model);
  return model;
}

void refuse_unsupported(const GgufModel& model) {
  if (model.unsupported.empty()) return;
  std::vector<std::string> names;
  for (auto* t : model.unsupported) names.push_back(t->text());
  bad("gguf_unsupported_type",
      "nothing computes with the type of: {}.\n"
      "Use a file whose matrices are of F32, F16, BF16, Q8_0, Q4_0 or Q4_1, and its vectors of F32, F16 or BF16.",
      few(names));
}

// Puts the path before what f() raises.
template <class F>
GgufModel named_in_errors(const GgufFile& file, F f) try {
  return f();
} catch (const Error& e) {
  if (!file.mapping()) throw;
  throw Error(e.code(), e.id(), fmt::format("cannot load {}\n{}", file.mapping()->path(), e.what()));
}

}  // namespace

GgufModel describe_model(const GgufFile& file) {
  return named_in_errors(file, [&] { return describe(file); });
}

GgufModel read_model_config(const GgufFile& file) {
  return named_in_errors(file, [&] {
    GgufModel model = describe(file);
    refuse_unsupported(model);
    return model;
  });
}

}  // namespace ridgeline
