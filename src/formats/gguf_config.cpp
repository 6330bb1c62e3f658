#include "formats/gguf_config.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "formats/gguf_fields.h"

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

const Family& family_of(std::string_view architecture, bool named) {
  std::vector<std::string_view> known;
  for (const Family* family : families()) {
    if (family->architecture == architecture) return *family;
    known.push_back(family->architecture);
  }
  bad("unsupported_arch", "general.architecture is {}; expected one of: {}.",
      named ? printable(architecture) : "missing", fmt::join(known, ", "));
}

GgufModel describe(const GgufFile& file) {
  const GgufMetadata& metadata = file.metadata();
  std::string arch = metadata.find<std::string>("general.architecture").value_or("");
  const Family& family = family_of(arch, metadata.has("general.architecture"));
  if (auto kind = metadata.find<std::string>("general.type"); kind && *kind != "model")
    bad("unsupported_model", "the file holds {}, by general.type; expected a model.", printable(*kind));
  if (auto parts = metadata.find<int64_t>("split.count"); parts.value_or(1) != 1)
    bad("unsupported_model", "the file is one of {} parts; merge them into one file first (llama-gguf-split --merge).",
        *parts);

  GgufReadFields fields(file, arch);
  GgufModel model;
  model.name = plain_name(metadata.find<std::string>("general.name").value_or(arch));
  model.config = family.read(fields);
  if (auto left = fields.left(); !left.empty())
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
