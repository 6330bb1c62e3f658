#include "cli/model_argument.h"

#include <filesystem>

#include "base/error.h"
#include "formats/open.h"
#include "hub/pull.h"
#include "instance/instance.h"

namespace ridgeline {

namespace {
bool exists(const std::string& path) {
  std::error_code none;
  return std::filesystem::exists(path, none);
}
// What could be a name of the catalogue, misspelt; anything else is meant as a path.
bool could_be_a_name(std::string_view text) {
  constexpr auto characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  return !text.empty() && text.size() <= 64 && text.find_first_not_of(characters) == text.npos &&
         !text.ends_with(".gguf");
}
}  // namespace

std::string model_path(const std::string& model) {
  auto reference = exists(model) ? std::nullopt : find_hub_reference(model);
  if (!reference) return model;
  try {
    return find_in_cache(hub_settings(), {*reference}).path;
  } catch (const Error& e) {
    if (e.id() != "not_in_cache") throw;
    throw Error(e.code(), e.id(),
                fmt::format("there is no file {}, and {}\n  To fetch it: ridgeline pull {}", model, e.what(), model));
  }
}

NamedModel named_model(const std::string& model) {
  if (const auto* entry = find_in_catalogue(model)) return {std::string(entry->name), entry->config};
  std::string path = model_path(model);
  if (!exists(path) && could_be_a_name(path)) from_catalogue(model);  // says which names are near
  std::shared_ptr<const Checkpoint> files = open_checkpoint(path, Weightless::allowed);
  ModelDescription described = read_model_config(*files);
  Retype as_in_files = pipeline_options(*files, described.config, {}).retype;
  return {described.name, described.config, as_in_files, files};
}

}  // namespace ridgeline
