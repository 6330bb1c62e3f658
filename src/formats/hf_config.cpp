// From config.json to a family's config.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/printable.h"
#include "formats/hf_directory.h"
#include "formats/hf_fields.h"

namespace ridgeline {
namespace {

template <class... A>
[[noreturn]] void bad(std::string id, fmt::format_string<A...> text, A&&... args) {
  fail(ExitCode::bad_data, std::move(id), text, std::forward<A>(args)...);
}

const Family& family_of(const std::optional<std::string>& model_type) {
  std::vector<std::string_view> known;
  for (const Family* family : families())
    for (std::string_view name : family->model_types) {
      if (!family->hf.empty() && name == model_type) return *family;
      known.push_back(name);
    }
  bad("unsupported_arch", "model_type is {}; expected one of: {}.", model_type ? printable(*model_type) : "missing",
      fmt::join(known, ", "));
}

// The types torch knows by this name, those of weights that this program reads first.
constexpr std::string_view torch_types[] = {"float32", "float16", "bfloat16", "float64", "auto"};

void check_type(HfFields& fields) {
  for (std::string_view field : {"dtype", "torch_dtype"}) {
    auto type = fields.text(field);
    if (!type || type->starts_with("float8_") || std::ranges::find(torch_types, *type) != std::end(torch_types))
      continue;
    bad("config_range", "{} is {}; expected one of: {}.", field, printable(*type), fmt::join(torch_types, ", "));
  }
}

}  // namespace

std::string HfDirectory::architecture() const {
  for (const auto* part : {&config_, config_.contains("text_config") ? &config_["text_config"] : &config_}) {
    if (!part->is_object() || !part->contains("model_type")) continue;
    const auto& type = (*part)["model_type"];
    if (type.is_string()) return type.get<std::string>();
  }
  return "";
}

std::optional<DType> HfDirectory::declared_type() const {
  HfFields fields(config_);
  auto name = fields.text("dtype");
  if (!name) name = fields.text("torch_dtype");
  if (name == "float32") return DType::f32;
  if (name == "float16") return DType::f16;
  if (name == "bfloat16") return DType::bf16;
  return {};
}

// The name of the directory; in the hub's cache, models--OWNER--NAME/snapshots/COMMIT, that of the model.
std::string HfDirectory::name() const {
  std::error_code error;
  auto path = std::filesystem::absolute(directory_, error).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  auto repository = path.parent_path().parent_path().filename().string();
  if (path.parent_path().filename() == "snapshots" && repository.starts_with("models--"))
    return plain_name(repository.substr(repository.rfind("--") + 2));
  return plain_name(path.filename().string());
}

ModelConfig read_hf_config(const nlohmann::json& config) {
  if (!config.is_object()) bad("config_json", "config.json is not an object.");
  auto quantization = config.find("quantization_config");
  if (quantization != config.end() && !quantization->is_null()) {
    auto method = quantization->is_object() ? quantization->find("quant_method") : quantization->end();
    bool named = quantization->is_object() && method != quantization->end() && method->is_string();
    bad("unsupported_model",
        "the weights are quantized by {} (quantization_config), which is not read.\n"
        "Use the model as it was before, or a GGUF file of it.",
        named ? printable(method->get_ref<const std::string&>()) : "a method that it does not name");
  }
  HfFields fields(config);
  check_type(fields);
  return family_of(fields.text("model_type")).read(fields);
}

ModelDescription HfDirectory::describe() const {
  ModelDescription model;
  model.name = name();
  model.config = read_hf_config(config_);
  if (has_weights()) check_weights(model);
  return model;
}

}  // namespace ridgeline
