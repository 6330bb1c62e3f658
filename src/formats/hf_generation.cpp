// generation_config.json, as transformers writes it.
#include "base/error.h"
#include "base/printable.h"
#include "formats/hf_directory.h"
#include "formats/json_file.h"

namespace ridgeline {
namespace {

constexpr const char* file_name = "generation_config.json";

[[noreturn]] void bad(std::string_view name, const Json& found, std::string_view expected) {
  fail(ExitCode::bad_data, "config_type", "{} of {} is {}; expected {}.", name, file_name,
       printable(found.dump(-1, ' ', true)), expected);
}

// A field that is there; null is the same as missing.
const Json* member(const Json& config, const char* name) {
  auto at = config.find(name);
  return at == config.end() || at->is_null() ? nullptr : &*at;
}

std::optional<double> real(const Json& config, const char* name, double least, double most) {
  const Json* found = member(config, name);
  if (!found) return {};
  if (!found->is_number() || !(found->get<double>() >= least && found->get<double>() <= most))
    bad(name, *found, fmt::format("a number from {} to {}", least, most));
  return found->get<double>();
}

// The ids of a field, one number or a list, of tokens there can be.
std::vector<int32_t> ids(const Json& config, const char* name) {
  const Json* found = member(config, name);
  if (!found) return {};
  std::vector<int32_t> ids;
  for (const Json& id : found->is_array() ? *found : Json::array({*found})) {
    if (!id.is_number_integer() || !(id.get<double>() >= 0 && id.get<double>() < limits::vocabulary))
      bad(name, id, "the id of a token, or a list of such");
    ids.push_back(id.get<int32_t>());
  }
  return ids;
}

}  // namespace

GenerationDefaults read_generation_config(const Json& config) {
  if (!config.is_object()) fail(ExitCode::bad_data, "config_type", "{} is not an object.", file_name);
  GenerationDefaults d;
  d.eos = ids(config, "eos_token_id");
  auto as_float = [](std::optional<double> x) { return x ? std::optional(static_cast<float>(*x)) : std::nullopt; };
  d.temperature = as_float(real(config, "temperature", 0, 100));
  d.top_p = as_float(real(config, "top_p", 0, 1));
  d.min_p = as_float(real(config, "min_p", 0, 1));
  d.repetition_penalty = as_float(real(config, "repetition_penalty", 0.01, 100));
  if (auto k = real(config, "top_k", 0, limits::vocabulary)) d.top_k = static_cast<int>(*k);
  if (const Json* samples = member(config, "do_sample")) {
    if (!samples->is_boolean()) bad("do_sample", *samples, "true or false");
    if (!samples->get<bool>()) d.temperature = 0.0f;
  }
  return d;
}

// The file may be missing; then config.json says what ends a text.
GenerationDefaults HfDirectory::generation_defaults() const {
  GenerationDefaults d;
  if (has(file_name)) d = read_generation_config(read_json_file(file(file_name), {"config_json", file_name}));
  if (d.eos.empty()) d.eos = ids(config_, "eos_token_id");
  return d;
}

}  // namespace ridgeline
