#include "formats/hf_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/limits.h"
#include "base/printable.h"
#include "formats/hf_fields.h"
#include "formats/json_file.h"

namespace ridgeline {
namespace {

namespace fs = std::filesystem;

template <class... A>
[[noreturn]] void bad(std::string id, fmt::format_string<A...> text, A&&... args) {
  fail(ExitCode::bad_data, std::move(id), text, std::forward<A>(args)...);
}

constexpr std::string_view weights_name = "model.safetensors", index_name = "model.safetensors.index.json";

// Why a directory has no weights that can be read.
[[noreturn]] void refuse_weightless(const std::string& directory) {
  std::string others, hint = "Expected model.safetensors, or model.safetensors.index.json with its shards.";
  for (const auto& entry : fs::directory_iterator(directory)) {
    std::string name = entry.path().filename().string();
    auto ends = [&](std::string_view ending) { return name.ends_with(ending); };
    if (ends(".safetensors")) hint += fmt::format("\nThere is {}, which can be given itself.", printable(name));
    if (ends(".gguf")) hint += fmt::format("\nThere is a GGUF file, which can be given itself: {}", printable(name));
    if (ends(".bin") || ends(".pt") || ends(".pth") || ends(".h5") || ends(".msgpack"))
      others += (others.empty() ? "" : ", ") + printable(name);
  }
  if (!others.empty())
    hint = fmt::format(
        "There is {}: weights of PyTorch's or another format are not read (a pickle may run any code).\n"
        "Convert the model to safetensors: with transformers, model.save_pretrained(..., safe_serialization=True).",
        others);
  bad("no_weights", "{} holds no weights in safetensors.\n{}", directory, hint);
}

// An index may name files of its own directory, and nothing else.
void check_shard_name(const std::string& name) {
  bool plain =
      !name.empty() && name[0] != '.' && name.size() <= 255 && name.ends_with(".safetensors") &&
      std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~' && c != '/' && c != '\\'; });
  if (!plain)
    bad("safetensors_index", "the index names the shard {}; expected the plain name of a .safetensors file beside it.",
        printable(name));
}

}  // namespace

std::map<std::string, uint32_t> read_shard_names(const Json& index) {
  const Json* map = index.is_object() && index.contains("weight_map") ? &index["weight_map"] : nullptr;
  if (!map || !map->is_object() || map->empty())
    bad("safetensors_index", "{} has no weight_map, an object from the names of tensors to those of shards.",
        index_name);
  std::map<std::string, uint32_t> shards;
  for (const auto& [tensor, shard] : map->items()) {
    if (!shard.is_string())
      bad("safetensors_index", "the index has no text for the shard of tensor {}.", printable(tensor));
    check_shard_name(shard.get_ref<const std::string&>());
    shards.emplace(shard.get<std::string>(), 0);
    if (shards.size() > limits::shards)
      bad("safetensors_index", "the index names more than {} shards.", limits::shards);
  }
  uint32_t number = 0;
  for (auto& [name, at] : shards) at = number++;
  return shards;
}

bool HfDirectory::has(std::string_view name) const {
  std::error_code error;
  return fs::exists(file(name), error);
}

HfDirectory HfDirectory::open(const std::string& path, Weightless weightless) {
  HfDirectory d;
  std::error_code error;
  bool is_directory = fs::is_directory(path, error);
  d.directory_ = is_directory ? path : fs::path(path).parent_path().string();
  if (d.directory_.empty()) d.directory_ = ".";
  while (d.directory_.size() > 1 && d.directory_.ends_with('/')) d.directory_.pop_back();
  if (!is_directory && !fs::exists(path, error)) MappedFile::open(path);  // raises: it is not there
  if (!d.has("config.json"))
    fail(ExitCode::cannot_open, "cannot_open",
         "cannot open {}: it is missing. A model in safetensors needs the config.json of its directory",
         d.file("config.json"));
  d.config_ = read_json_file(d.file("config.json"), {"config_json", "config.json"});
  try {
    if (!d.config_.is_object()) bad("config_json", "config.json is not an object.");
    d.find_weights(is_directory ? "" : fs::path(path).filename().string(), weightless);
    d.index_names();
  } catch (const Error& e) { throw e.loading(d.directory_); }
  return d;
}

void HfDirectory::find_weights(const std::string& given, Weightless weightless) {
  if (given.ends_with(".safetensors") && given != weights_name) {
    bool in_index = false;
    if (has(index_name)) {
      auto index = read_json_file(file(index_name), {"safetensors_index", std::string(index_name)},
                                  {limits::index_bytes, limits::index_values});
      auto map = index.is_object() ? index.find("weight_map") : index.end();
      in_index = index.is_object() && map != index.end() && map->is_object() &&
                 std::any_of(map->begin(), map->end(), [&](const auto& shard) { return shard == given; });
    }
    if (!in_index) return shards_.push_back(SafetensorsFile::open(file(given)));
  }
  if (given != index_name && has(weights_name)) return shards_.push_back(SafetensorsFile::open(file(weights_name)));
  if (has(index_name)) return open_shards(file(index_name));
  if (weightless == Weightless::refused) refuse_weightless(directory_);
}

void HfDirectory::open_shards(const std::string& index_path) {
  auto index = read_json_file(index_path, {"safetensors_index", std::string(index_name)},
                              {limits::index_bytes, limits::index_values});
  auto shards = read_shard_names(index);
  for (const auto& [name, number] : shards) {
    if (!has(name))
      fail(ExitCode::cannot_open, "shard_missing",
           "cannot open {}: the shard is missing, one of {} that {} names. Fetch it, or all of the model again",
           file(name), shards.size(), index_name);
    shards_.push_back(SafetensorsFile::open(file(name)));
  }
  check_index(index, shards);
}

// Each tensor is in the shard that the index says, and in no other; metadata.total_size is the sum of their bytes.
void HfDirectory::check_index(const Json& index, const std::map<std::string, uint32_t>& shards) {
  const Json& map = index["weight_map"];
  uint64_t bytes = 0, unlisted = 0;
  for (const auto& [tensor, shard] : map.items()) {
    auto* found = shards_[shards.at(shard.get<std::string>())].find_tensor(tensor);
    if (!found)
      bad("safetensors_index", "the index says that tensor {} is in {}, but it is not there.", printable(tensor),
          shard.get<std::string>());
    bytes += found->bytes;
  }
  for (const auto& [name, number] : shards)
    for (const auto& t : shards_[number].tensors()) {
      auto listed = map.find(t.name);
      if (listed == map.end())
        ++unlisted;
      else if (*listed != name)
        bad("safetensors_index", "tensor {} is in two shards: {}, as the index says, and {}.", t.text(),
            listed->get<std::string>(), name);
    }
  if (unlisted) warnings_.push_back(fmt::format("{} tensors of the shards are not in the index", unlisted));
  auto metadata = index.find("metadata");
  if (metadata == index.end() || !metadata->is_object() || !metadata->contains("total_size")) return;
  const Json& total = (*metadata)["total_size"];
  if (!total.is_number() || total.get<double>() != static_cast<double>(bytes))
    bad("safetensors_index",
        "the shards hold {} bytes of tensors; total_size of the index says {}.\n"
        "Shards of several revisions may be mixed: fetch the model again.",
        bytes, total.is_number() ? total.dump() : "what is no number");
}

void HfDirectory::index_names() {
  for (uint32_t s = 0; s < shards_.size(); ++s) {
    for (uint32_t t = 0; t < shards_[s].tensors().size(); ++t) tensors_.push_back({s, t});
    for (const auto& w : shards_[s].warnings())
      warnings_.push_back(fmt::format("{}: {}", shards_[s].mapping()->path(), w));
  }
  auto name = [&](uint32_t i) -> const std::string& {
    return shards_[tensors_[i].shard].tensors()[tensors_[i].tensor].name;
  };
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  std::sort(by_name_.begin(), by_name_.end(), [&](uint32_t a, uint32_t b) { return name(a) < name(b); });
  auto twice =
      std::adjacent_find(by_name_.begin(), by_name_.end(), [&](uint32_t a, uint32_t b) { return name(a) == name(b); });
  if (twice != by_name_.end()) bad("safetensors_index", "tensor {} is in two shards.", printable(name(*twice)));
}

std::vector<const MappedFile*> HfDirectory::files() const {
  std::vector<const MappedFile*> files;
  for (const auto& shard : shards_) files.push_back(shard.mapping());
  return files;
}

int64_t HfDirectory::file_bytes() const {
  int64_t sum = 0;
  for (const auto& shard : shards_) sum += static_cast<int64_t>(shard.file_bytes());
  return sum;
}

StoredTensor HfDirectory::at(size_t i) const {
  const SafetensorsFile& shard = shards_[tensors_[i].shard];
  const SafetensorsTensor& t = shard.tensors()[tensors_[i].tensor];
  return {.name = t.name,
          .type = t.type->name,
          .dtype = t.type->dtype,
          .shape = {t.shape.begin(), t.shape.end()},
          .elements = static_cast<int64_t>(t.elements),
          .offset = t.offset,
          .bytes = shard.data(t),
          .file = shard.mapping(),
          .format = FileFormat::hf};
}

std::optional<uint32_t> HfDirectory::find_exactly(std::string_view wanted) const {
  auto at = std::lower_bound(by_name_.begin(), by_name_.end(), wanted, [this](uint32_t i, std::string_view n) {
    return shards_[tensors_[i].shard].tensors()[tensors_[i].tensor].name < n;
  });
  return at != by_name_.end() && this->at(*at).name == wanted ? std::optional(*at) : std::nullopt;
}

// A name of a binding table, or what a directory has in its place: without the name of the model, where the model was saved
// without its head; below language_model, where it is the part for text of another.
std::optional<StoredTensor> HfDirectory::find(std::string_view wanted) const {
  std::string name(wanted);
  std::vector<std::string> spellings = {name, "language_model." + name};
  for (std::string_view model : {"model.", "transformer."})
    if (name.starts_with(model)) {
      spellings.push_back(name.substr(model.size()));
      spellings.push_back(std::string(model) + "language_model." + name.substr(model.size()));
    }
  for (const auto& spelling : spellings)
    if (auto at_index = find_exactly(spelling)) return at(*at_index);
  return {};
}

// Masks and frequencies that older checkpoints hold; they follow from the config.
bool HfDirectory::ignored(std::string_view name) const {
  for (std::string_view ending : {".attn.bias", ".attn.masked_bias", ".rotary_emb.inv_freq"})
    if (name.ends_with(ending)) return true;
  return false;
}

std::string HfDirectory::computing_types() const {
  std::string known;
  for (auto& type : safetensors_types())
    if (type.dtype) known += fmt::format("{}{}", known.empty() ? "" : ", ", type.name);
  return known;
}

}  // namespace ridgeline
