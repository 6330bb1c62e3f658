// A family of models, described whole: one file of src/models/families, and nothing elsewhere knows a family by name.
#pragma once
#include <algorithm>
#include <any>
#include <functional>
#include <initializer_list>

#include "models/binding.h"
#include "models/fields.h"

namespace ridgeline {

class Family;

// What is asked of every model. A config struct has members of these names; those marked may be missing from it.
struct ModelFacts {
  int layers = 0, dim = 0, heads = 0;
  int kv_heads = 0;  // missing: as many as heads
  int head_dim = 0;  // missing: dim / heads
  int turned = 0;    // elements of a head that rotary positions turn; missing: all of them
  int ffn = 0;
  int64_t vocab = 0, context = 0;
  float eps = 0;
  bool tied = false;                // the head is the embedding
  float rope_base = 0;              // missing: no rotary positions
  std::vector<float> rope_factors;  // missing: none
};

// The config of one model, of any family. A small value; what it holds does not change.
class ModelConfig {
 public:
  ModelConfig() = default;
  template <class Config>
    requires requires { Config::family(); }
  ModelConfig(Config config) : ModelConfig(Config::family(), std::move(config)) {}  // llama.h, gpt2.h
  template <class Config>
  ModelConfig(const Family& family, Config config);

  const Family& family() const;
  const ModelFacts& facts() const { return facts_; }
  template <class Config>
  const Config* as() const {  // nullptr: of another family
    return std::any_cast<Config>(&config_);
  }

 private:
  friend class Family;
  const Family* family_ = nullptr;
  std::any config_;
  ModelFacts facts_;
};

struct CatalogueEntry {
  std::string_view name;
  ModelConfig config;
};

// What the file of a family says of it.
template <class Config>
struct FamilyPage {
  std::string_view architecture;              // GGUF: general.architecture
  std::vector<std::string_view> model_types;  // config.json: model_type
  Program (*program)(std::string name, DType matrices, const Config&);
  // Reads or writes each field of a config, which begins with its default members.
  void (*fields)(Config&, Fields&);
  std::vector<TensorBinding> gguf, hf = {};
  struct Shape {
    std::string_view name;
    Config config;
  };
  std::vector<Shape> shapes = {};  // published, without weights: lines of the catalogue
};

class Family {
 public:
  template <class Config>
  explicit Family(FamilyPage<Config> page);
  Family(const Family&) = delete;  // configs point at it
  Family& operator=(const Family&) = delete;

  const std::string_view architecture;
  const std::vector<std::string_view> model_types;
  const std::vector<TensorBinding> gguf, hf;
  const std::vector<CatalogueEntry>& shapes() const { return shapes_; }

  Program build(std::string name, DType matrices, const ModelConfig& c) const {
    return program_(std::move(name), matrices, c.config_);
  }
  ModelConfig read(Fields& from) const { return read_(*this, from); }
  void write(const ModelConfig& c, Fields& to) const { write_(c.config_, to); }
  // The same model with another number of layers or tokens; 0: as it is.
  ModelConfig resized(const ModelConfig& c, int layers, int64_t vocab) const {
    return resized_(*this, c.config_, layers, vocab);
  }
  // What one of `ranks` devices computes of the model where heads, feed-forward columns and vocabulary are split among them
  // (Megatron-LM, arXiv 1909.08053): a model of the same family. Where there are fewer KV heads than ranks each rank keeps
  // one. Throws Error (usage, "impossible_split") where a size is no multiple of `ranks`, or the family cannot be split.
  ModelConfig shard(const ModelConfig& c, int ranks) const { return shard_(*this, c.config_, ranks); }

 private:
  std::function<Program(std::string, DType, const std::any&)> program_;
  std::function<ModelConfig(const Family&, Fields&)> read_;
  std::function<void(const std::any&, Fields&)> write_;
  std::function<ModelConfig(const Family&, const std::any&, int, int64_t)> resized_;
  std::function<ModelConfig(const Family&, const std::any&, int)> shard_;
  std::vector<CatalogueEntry> shapes_;
};

// Every family: one function NAME_family() a file of src/models/families, in the order of their names. The list is written
// by models/folder.cmake.
const std::vector<const Family*>& families();

template <class Config>
ModelFacts facts_of(const Config& c) {
  ModelFacts f{.layers = c.layers, .dim = c.dim, .heads = c.heads, .kv_heads = c.heads, .head_dim = c.dim / c.heads};
  f.ffn = c.ffn, f.vocab = c.vocab, f.context = c.context, f.eps = c.eps, f.tied = c.tied;
  if constexpr (requires { c.kv_heads; }) f.kv_heads = c.kv_heads;
  if constexpr (requires { c.head_dim; }) f.head_dim = c.head_dim;
  f.turned = f.head_dim;
  if constexpr (requires { c.turned; }) f.turned = c.turned;
  if constexpr (requires { c.rope_base; }) f.rope_base = c.rope_base;
  if constexpr (requires { c.rope_factors; }) f.rope_factors = c.rope_factors;
  return f;
}

template <class Config>
ModelConfig::ModelConfig(const Family& family, Config config) : family_(&family), facts_(facts_of(config)) {
  config_ = std::move(config);
}

// Throws Error (usage, "impossible_split") unless ranks divides each size.
void require_divisible(int ranks, std::initializer_list<std::pair<std::string_view, int64_t>> sizes);
[[noreturn]] void refuse_split(std::string_view family);

template <class Config>
Config shard_of(const Family& family, Config c, int ranks) {
  if (ranks == 1) return c;
  if constexpr (requires { c.head_dim, c.kv_heads; }) {
    require_divisible(ranks, {{"heads", c.heads}, {"feed-forward columns", c.ffn}});
    if (c.kv_heads % ranks && ranks % c.kv_heads) require_divisible(ranks, {{"KV heads", c.kv_heads}});
    c.heads /= ranks, c.ffn /= ranks, c.kv_heads = std::max(1, c.kv_heads / ranks);
    c.vocab = (c.vocab + ranks - 1) / ranks;
    return c;
  } else {
    refuse_split(family.architecture);
  }
}

template <class Config>
Family::Family(FamilyPage<Config> page)
    : architecture(page.architecture),
      model_types(std::move(page.model_types)),
      gguf(std::move(page.gguf)),
      hf(std::move(page.hf)),
      program_([program = page.program](std::string name, DType matrices, const std::any& c) {
        return program(std::move(name), matrices, *std::any_cast<Config>(&c));
      }),
      read_([fields = page.fields](const Family& family, Fields& from) {
        Config c{};
        fields(c, from);
        return ModelConfig(family, std::move(c));
      }),
      write_([fields = page.fields](const std::any& config, Fields& to) {
        auto c = std::any_cast<Config>(config);
        fields(c, to);
      }),
      resized_([](const Family& family, const std::any& config, int layers, int64_t vocab) {
        auto c = std::any_cast<Config>(config);
        if (layers) c.layers = layers;
        if (vocab) c.vocab = vocab;
        return ModelConfig(family, std::move(c));
      }),
      shard_([](const Family& family, const std::any& config, int ranks) {
        return ModelConfig(family, shard_of(family, *std::any_cast<Config>(&config), ranks));
      }) {
  for (auto& s : page.shapes) shapes_.push_back({s.name, ModelConfig(*this, std::move(s.config))});
}

}  // namespace ridgeline
