// A model as Hugging Face's hub and libraries keep it: a directory with config.json, weights in safetensors, one file or
// several with an index, and beside them tokenizer.json, tokenizer_config.json and generation_config.json. Files may be
// symbolic links, as they are in the hub's cache.
#pragma once
#include <map>
#include <nlohmann/json.hpp>

#include "formats/checkpoint.h"
#include "formats/open.h"
#include "formats/safetensors.h"

namespace ridgeline {

class HfDirectory : public Checkpoint {
 public:
  // path: the directory, or config.json, the index or a file of weights in it; weights that the directory does not have under
  // their usual names (model.safetensors, model.safetensors.index.json) are taken alone.
  // Errors: cannot_open for what is missing, naming it; bad_data "config_json", "config_type", "safetensors_index" (a shard
  // that is no plain name, a tensor that is in two shards, or not in its own), "no_weights", with what to do about weights
  // of another format; those of SafetensorsFile::open.
  static HfDirectory open(const std::string& path, Weightless = Weightless::refused);

  const nlohmann::json& config() const { return config_; }
  bool has_weights() const { return !shards_.empty(); }
  std::string file(std::string_view name) const { return directory_ + "/" + std::string(name); }
  bool has(std::string_view name) const;

  FileFormat format() const override { return FileFormat::hf; }
  std::string path() const override { return directory_; }
  std::string architecture() const override;  // model_type
  std::vector<const MappedFile*> files() const override;
  int64_t file_bytes() const override;
  const std::vector<std::string>& warnings() const override { return warnings_; }
  size_t size() const override { return tensors_.size(); }
  StoredTensor at(size_t i) const override;
  std::optional<StoredTensor> find(std::string_view name) const override;
  const std::vector<TensorBinding>& bindings(const ModelConfig& c) const override { return c.family().hf; }
  std::optional<DType> declared_type() const override;  // dtype, or torch_dtype as it was called
  bool ignored(std::string_view name) const override;
  std::string computing_types() const override;
  GenerationDefaults generation_defaults()
      const override;  // bad_data "config_json", "config_type": a field of another type
  ModelDescription describe() const override;

 private:
  HfDirectory() = default;
  void find_weights(const std::string& given, Weightless);
  void open_shards(const std::string& index_path);
  void check_index(const nlohmann::json& index, const std::map<std::string, uint32_t>& shards);
  void index_names();
  std::string name() const;
  std::optional<uint32_t> find_exactly(std::string_view name) const;

  struct Place {
    uint32_t shard, tensor;
  };
  std::string directory_;
  nlohmann::json config_;
  std::vector<SafetensorsFile> shards_;
  std::vector<Place> tensors_;     // shard by shard
  std::vector<uint32_t> by_name_;  // sorted
  std::vector<std::string> warnings_;
};

// The texts of a directory, parsed; errors name the field.
// config.json: the family's config.
ModelConfig read_hf_config(const nlohmann::json& config);
// model.safetensors.index.json: the shards it names, numbered from 0 in the order of their names.
std::map<std::string, uint32_t> read_shard_names(const nlohmann::json& index);
// generation_config.json.
GenerationDefaults read_generation_config(const nlohmann::json& config);

}  // namespace ridgeline
