#include "formats/hf_fields.h"

#include <algorithm>

#include "base/printable.h"
#include "ops/rope.h"

namespace ridgeline {
namespace {

using Json = nlohmann::json;

template <class... A>
[[noreturn]] void bad(std::string id, fmt::format_string<A...> text, A&&... args) {
  fail(ExitCode::bad_data, std::move(id), text, std::forward<A>(args)...);
}

// A value, for a message: cut, and fit for a terminal.
std::string shown(const Json& value) {
  if (value.is_string()) return "the text " + printable(value.get_ref<const std::string&>());
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  return value.dump();
}

const Json* member(const Json& object, std::string_view name) {
  auto at = object.find(name);
  return at == object.end() || at->is_null() ? nullptr : &*at;
}

const Json& text_part(const Json& config) {
  const Json* part = member(config, "text_config");
  return part && part->is_object() ? *part : config;
}

[[noreturn]] void wrong_type(std::string_view name, const Json& value, std::string_view expected) {
  bad("config_type", "{} is {}; expected {}.", name, shown(value), expected);
}

template <class T, class Limit>
void in_range(std::string_view name, T value, Limit least, Limit most) {
  if (!(value >= least && value <= most))  // a NaN is in no range
    bad("config_range", "{} is {}; expected {} to {}.", name, value, least, most);
}

double real_of(std::string_view name, const Json& value) {
  if (!value.is_number()) wrong_type(name, value, "a number");
  return value.get<double>();
}

constexpr double base_least = 1, base_most = 1e12;
constexpr double stretch_least = 1.0 / 1024, stretch_most = 1 << 20;

}  // namespace

HfFields::HfFields(const Json& config) : whole_(config), text_(text_part(config)) {}

const Json* HfFields::find(std::string_view name) const {
  if (const Json* value = member(text_, name)) return value;
  return member(whole_, name);
}

bool HfFields::is_null(FieldName n) const {
  auto at = text_.find(n.hf);
  return at != text_.end() && at->is_null();
}

const Json* HfFields::find(const Field& f) const {
  if (f.name.hf.empty()) return nullptr;
  const Json* value = find(f.name.hf);
  if (!value && f.required) bad("config_missing", "config.json has no {}.", f.name.hf);
  return value;
}

bool HfFields::visit(int64_t& value, const Field& f, int64_t least, int64_t most) {
  const Json* found = find(f);
  if (!found) return false;
  if (!found->is_number_integer()) wrong_type(f.name.hf, *found, "a whole number");
  // A number beyond int64 would come out negative.
  bool large = found->is_number_unsigned() && found->get<uint64_t>() > INT64_MAX;
  if (large) bad("config_range", "{} is {}; expected {} to {}.", f.name.hf, found->get<uint64_t>(), least, most);
  in_range(f.name.hf, found->get<int64_t>(), least, most);
  value = found->get<int64_t>();
  return true;
}

bool HfFields::visit(float& value, const Field& f, double least, double most) {
  const Json* found = find(f);
  if (!found) return false;
  double number = real_of(f.name.hf, *found);
  in_range(f.name.hf, number, least, most);
  value = static_cast<float>(number);
  return true;
}

bool HfFields::visit(std::string& value, const Field& f) {
  const Json* found = find(f);
  if (!found) return false;
  if (!found->is_string()) wrong_type(f.name.hf, *found, "text");
  value = found->get<std::string>();
  return true;
}

bool HfFields::visit(bool& value, const Field& f) {
  const Json* found = find(f);
  if (!found) return false;
  if (!found->is_boolean()) wrong_type(f.name.hf, *found, "true or false");
  value = found->get<bool>();
  return true;
}

bool HfFields::visit(std::vector<std::string>& value, const Field& f) {
  const Json* found = find(f);
  if (!found) return false;
  bool texts = found->is_array() && std::ranges::all_of(*found, [](const Json& item) { return item.is_string(); });
  if (!texts) wrong_type(f.name.hf, *found, "a list of texts");
  value = found->get<std::vector<std::string>>();
  return true;
}

std::optional<std::string> HfFields::text(std::string_view name) {
  std::string value;
  return visit(value, {{"", name}}) ? std::optional(value) : std::nullopt;
}

// transformers 5 keeps all of it in rope_parameters, an object for each kind of layers where there are two; before, the base
// was rope_theta (rope_local_base_freq for layers of a window), and rope_scaling said the rest.
const Json* HfFields::rotary_part(LayerKind kind) const {
  const Json* part = find("rope_parameters");
  if (part && part->is_object()) {
    std::string_view layers = kind == LayerKind::sliding ? "sliding_attention" : "full_attention";
    if (const Json* of_layers = member(*part, layers)) part = of_layers;
  } else if (!part && kind != LayerKind::sliding) {
    part = find("rope_scaling");
  }
  if (part && !part->is_object()) wrong_type("rope_parameters or rope_scaling", *part, "an object");
  return part;
}

float HfFields::number(const Json& part, std::string_view name, double least, double most) const {
  const Json* found = member(part, name);
  if (!found) bad("config_missing", "the rotary positions of config.json have no {}.", name);
  double value = real_of(name, *found);
  in_range(name, value, least, most);
  return static_cast<float>(value);
}

void HfFields::partial_rotary(float& base, std::vector<float>& factors, int& turned, int head_dim, LayerKind kind) {
  factors.clear();
  find_real(base, {"", kind == LayerKind::sliding ? "rope_local_base_freq" : "rope_theta"}, base_least, base_most);
  const Json* part = rotary_part(kind);
  float turning = static_cast<float>(turned) / static_cast<float>(head_dim);
  bool said = find_real(turning, {"", "partial_rotary_factor"}, 0, 1);
  if (part && member(*part, "partial_rotary_factor"))
    turning = number(*part, "partial_rotary_factor", 0, 1), said = true;
  if (said) turned = static_cast<int>(static_cast<float>(head_dim) * turning + 0.001f);
  if (turned % 2 || turned == 0)
    contradiction("partial_rotary_factor {} turns {} of the {} elements of a head; expected an even number.", turning,
                  turned, head_dim);
  if (!part) return;

  if (member(*part, "rope_theta")) base = number(*part, "rope_theta", base_least, base_most);
  const Json* type = member(*part, "rope_type");
  if (!type) type = member(*part, "type");  // its name in older files
  if (type && !type->is_string()) wrong_type("rope_type", *type, "text");
  std::string name = type ? type->get<std::string>() : "default";
  if (name == "linear") {
    float factor = number(*part, "factor", stretch_least, stretch_most);
    if (factor != 1) factors.assign(static_cast<size_t>(turned / 2), factor);
  } else if (name == "llama3") {
    float low = number(*part, "low_freq_factor", stretch_least, stretch_most);
    float high = number(*part, "high_freq_factor", stretch_least, stretch_most);
    if (!(low < high)) contradiction("low_freq_factor {} is not below high_freq_factor {}.", low, high);
    float original = number(*part, "original_max_position_embeddings", 1, static_cast<double>(limits::context));
    factors = llama3_rope_factors(turned, base, number(*part, "factor", 1, stretch_most), low, high, original);
  } else if (name != "default") {
    refuse("rotary positions of the type {} are not supported; expected default, linear or llama3.", printable(name));
  }
}

}  // namespace ridgeline
