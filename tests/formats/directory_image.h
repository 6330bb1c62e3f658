// Hugging Face directories of a whole little model, to be changed in one place and written.
#pragma once
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/scratch_folder.h"
#include "formats/safetensors.h"
#include "formats/safetensors_image.h"

namespace ridgeline {

// Tensors of one file, in any order.
struct ShardImage {
  struct Tensor {
    std::string dtype;
    std::vector<uint64_t> shape;
    std::string data;
  };
  std::map<std::string, Tensor> tensors;

  // Of zeros; a dtype of 2 or 4 bytes.
  ShardImage& add(const std::string& name, std::vector<uint64_t> shape, const std::string& dtype = "F32") {
    uint64_t bytes = dtype == "F32" ? 4 : 2;
    for (uint64_t n : shape) bytes *= n;
    tensors[name] = {dtype, std::move(shape), std::string(bytes, '\0')};
    return *this;
  }
  std::string bytes() const {
    nlohmann::json header = nlohmann::json::object();
    std::string data;
    for (const auto& [name, t] : tensors) {
      header[name] = {
          {"dtype", t.dtype}, {"shape", t.shape}, {"data_offsets", {data.size(), data.size() + t.data.size()}}};
      data += t.data;
    }
    std::string text = header.dump();
    return safetensors_image::image(text, 0) + data;
  }
  uint64_t data_bytes() const {
    uint64_t sum = 0;
    for (const auto& [name, t] : tensors) sum += t.data.size();
    return sum;
  }
  static ShardImage read(const std::string& path) {
    ShardImage image;
    SafetensorsFile file = SafetensorsFile::open(path);
    for (const auto& t : file.tensors()) {
      auto data = file.data(t);
      image.tensors[t.name] = {std::string(t.type->name), t.shape,
                               std::string(reinterpret_cast<const char*>(data.data()), data.size())};
    }
    return image;
  }
};

// Two layers, 64 wide, 4 heads of 16 (2 for keys and values), feed-forward 96, 40 tokens, F32.
struct DirectoryImage {
  nlohmann::json config = {{"architectures", {"LlamaForCausalLM"}},
                           {"model_type", "llama"},
                           {"num_hidden_layers", 2},
                           {"hidden_size", 64},
                           {"intermediate_size", 96},
                           {"num_attention_heads", 4},
                           {"num_key_value_heads", 2},
                           {"max_position_embeddings", 128},
                           {"rms_norm_eps", 1e-5},
                           {"rope_theta", 10000.0},
                           {"vocab_size", 40},
                           {"hidden_act", "silu"},
                           {"torch_dtype", "float32"},
                           {"tie_word_embeddings", false}};
  ShardImage weights = llama_weights();

  static ShardImage llama_weights() {
    ShardImage m;
    m.add("model.embed_tokens.weight", {40, 64}).add("model.norm.weight", {64}).add("lm_head.weight", {40, 64});
    for (std::string layer : {"model.layers.0.", "model.layers.1."}) {
      m.add(layer + "input_layernorm.weight", {64}).add(layer + "post_attention_layernorm.weight", {64});
      m.add(layer + "self_attn.q_proj.weight", {64, 64}).add(layer + "self_attn.o_proj.weight", {64, 64});
      m.add(layer + "self_attn.k_proj.weight", {32, 64}).add(layer + "self_attn.v_proj.weight", {32, 64});
      m.add(layer + "mlp.gate_proj.weight", {96, 64}).add(layer + "mlp.up_proj.weight", {96, 64});
      m.add(layer + "mlp.down_proj.weight", {64, 96});
    }
    return m;
  }
  void write(const ScratchFolder& folder) const {
    folder.write("config.json", config.dump());
    folder.write("model.safetensors", weights.bytes());
  }
};

// The same weights in `count` shards with their index.
struct ShardedImage {
  std::vector<ShardImage> shards;
  nlohmann::json index;

  ShardedImage(const ShardImage& whole, size_t count) : shards(count) {
    size_t i = 0;
    for (const auto& [name, t] : whole.tensors) {
      shards[i % count].tensors[name] = t;
      index["weight_map"][name] = this->name(i++ % count);
    }
    index["metadata"]["total_size"] = whole.data_bytes();
  }
  std::string name(size_t i) const { return fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size()); }
  void write(const ScratchFolder& folder) const {
    folder.write("model.safetensors.index.json", index.dump());
    for (size_t i = 0; i < shards.size(); ++i) folder.write(name(i), shards[i].bytes());
  }
};

}  // namespace ridgeline
