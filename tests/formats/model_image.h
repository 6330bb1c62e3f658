// Images of whole little models, to be changed in one place and read.
#pragma once
#include <algorithm>

#include "formats/gguf.h"
#include "gguf_image.h"

namespace ridgeline {

// Two layers, 64 wide, 4 heads of 16 (2 for keys and values), feed-forward 96, 40 tokens, F32.
class ModelImage {
 public:
  static ModelImage llama() {
    ModelImage m("llama");
    m.whole("block_count", 2)
        .whole("context_length", 128)
        .whole("embedding_length", 64)
        .whole("feed_forward_length", 96);
    m.whole("attention.head_count", 4)
        .whole("attention.head_count_kv", 2)
        .real("attention.layer_norm_rms_epsilon", 1e-5f);
    m.tensor("token_embd.weight", {64, 40}).tensor("output_norm.weight", {64}).tensor("output.weight", {64, 40});
    for (std::string layer : {"blk.0.", "blk.1."}) {
      m.tensor(layer + "attn_norm.weight", {64}).tensor(layer + "ffn_norm.weight", {64});
      m.tensor(layer + "attn_q.weight", {64, 64}).tensor(layer + "attn_output.weight", {64, 64});
      m.tensor(layer + "attn_k.weight", {64, 32}).tensor(layer + "attn_v.weight", {64, 32});
      m.tensor(layer + "ffn_gate.weight", {64, 96}).tensor(layer + "ffn_up.weight", {64, 96});
      m.tensor(layer + "ffn_down.weight", {96, 64});
    }
    return m;
  }
  static ModelImage gemma3(uint32_t layers) {  // heads of 32, one for keys and values; a window of 16
    ModelImage m("gemma3");
    m.whole("block_count", layers).whole("context_length", 128);
    m.whole("embedding_length", 64).whole("feed_forward_length", 96);
    m.whole("attention.head_count", 4).whole("attention.head_count_kv", 1).whole("attention.key_length", 32);
    m.real("attention.layer_norm_rms_epsilon", 1e-6f).whole("attention.sliding_window", 16);
    m.tensor("token_embd.weight", {64, 40}).tensor("output_norm.weight", {64});
    for (uint32_t i = 0; i < layers; ++i) {
      std::string layer = "blk." + std::to_string(i) + ".";
      for (const char* norm : {"attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"})
        m.tensor(layer + norm + ".weight", {64});
      m.tensor(layer + "attn_q_norm.weight", {32}).tensor(layer + "attn_k_norm.weight", {32});
      m.tensor(layer + "attn_q.weight", {64, 128}).tensor(layer + "attn_output.weight", {128, 64});
      m.tensor(layer + "attn_k.weight", {64, 32}).tensor(layer + "attn_v.weight", {64, 32});
      m.tensor(layer + "ffn_gate.weight", {64, 96}).tensor(layer + "ffn_up.weight", {64, 96});
      m.tensor(layer + "ffn_down.weight", {96, 64});
    }
    return m;
  }
  static ModelImage empty(const std::string& architecture) { return ModelImage(architecture); }
  static ModelImage gpt2() {
    ModelImage m("gpt2");
    m.whole("block_count", 1)
        .whole("context_length", 32)
        .whole("embedding_length", 64)
        .whole("feed_forward_length", 96);
    m.whole("attention.head_count", 4).real("attention.layer_norm_epsilon", 1e-5f);
    m.tensor("token_embd.weight", {64, 40}).tensor("position_embd.weight", {64, 32});
    m.tensor("output_norm.weight", {64}).tensor("output_norm.bias", {64});
    for (std::string norm : {"blk.0.attn_norm", "blk.0.ffn_norm"})
      m.tensor(norm + ".weight", {64}).tensor(norm + ".bias", {64});
    m.tensor("blk.0.attn_qkv.weight", {64, 192}).tensor("blk.0.attn_qkv.bias", {192});
    m.tensor("blk.0.attn_output.weight", {64, 64}).tensor("blk.0.attn_output.bias", {64});
    m.tensor("blk.0.ffn_up.weight", {64, 96}).tensor("blk.0.ffn_up.bias", {96});
    m.tensor("blk.0.ffn_down.weight", {96, 64}).tensor("blk.0.ffn_down.bias", {64});
    return m;
  }

  // Each sets or replaces. Keys without a dot at their front belong to the architecture: "block_count"; ".general.name"
  // is general.name.
  ModelImage& entry(std::string key, uint32_t type, std::string value) {
    key = key.starts_with('.') ? key.substr(1) : arch_ + "." + key;
    std::erase_if(image_.entries, [&](const auto& e) { return e.key == key; });
    image_.entries.push_back({key, type, std::move(value), {}});
    return *this;
  }
  ModelImage& whole(const std::string& key, uint32_t n) { return entry(key, gguf_image::U32, gguf_image::raw(n)); }
  ModelImage& real(const std::string& key, float x) { return entry(key, gguf_image::F32, gguf_image::raw(x)); }
  ModelImage& text(const std::string& key, std::string_view s) {
    return entry(key, gguf_image::STRING, gguf_image::string(s));
  }
  ModelImage& flag(const std::string& key, bool b) { return entry(key, gguf_image::BOOL, gguf_image::raw<uint8_t>(b)); }
  template <class T>
  ModelImage& numbers(const std::string& key, uint32_t type, const std::vector<T>& values) {
    std::string bytes;
    for (T v : values) bytes += gguf_image::raw(v);
    return entry(key, gguf_image::ARRAY, gguf_image::array(type, values.size(), bytes));
  }
  ModelImage& texts(const std::string& key, const std::vector<std::string>& values) {
    std::string bytes;
    for (const auto& v : values) bytes += gguf_image::string(v);
    return entry(key, gguf_image::ARRAY, gguf_image::array(gguf_image::STRING, values.size(), bytes));
  }
  ModelImage& without(const std::string& name) {  // a key, or a tensor
    std::erase_if(image_.entries, [&](const auto& e) { return e.key == name || e.key == arch_ + "." + name; });
    std::erase_if(image_.tensors, [&](const auto& t) { return t.name == name; });
    return *this;
  }
  ModelImage& tensor(const std::string& name, std::vector<uint64_t> ne, uint32_t type = gguf_image::GGML_F32) {
    const GgmlType& t = *find_ggml_type(type);
    uint64_t bytes = t.block_bytes;
    for (size_t d = 0; d < ne.size(); ++d) bytes *= d ? ne[d] : ne[d] / t.block;
    std::erase_if(image_.tensors, [&](const auto& old) { return old.name == name; });
    image_.tensors.push_back({name, std::move(ne), type, bytes, {}, {}, {}});
    return *this;
  }
  // A one-dimensional F32 tensor with these values, the last of the file.
  ModelImage& values(const std::string& name, const std::vector<float>& floats) {
    tensor(name, {floats.size()});
    last_values_ = std::string(reinterpret_cast<const char*>(floats.data()), 4 * floats.size());
    return *this;
  }

  const std::vector<gguf_image::Tensor>& tensors() const { return image_.tensors; }

  std::string header() const {  // padded to where the data begins
    std::string out = image_.header();
    out.resize(image_.padded(out.size()));
    return out;
  }
  uint64_t data_bytes() const {
    uint64_t sum = 0;
    for (const auto& t : image_.tensors) sum += image_.padded(t.bytes);
    return sum;
  }
  std::string bytes() const {
    std::string out = image_.bytes();
    size_t padded = image_.padded(last_values_.size());
    return last_values_.empty() ? out : out.replace(out.size() - padded, last_values_.size(), last_values_);
  }

 private:
  explicit ModelImage(std::string arch) : arch_(std::move(arch)) { text(".general.architecture", arch_); }
  std::string arch_, last_values_;
  gguf_image::Image image_;
};

// Reads an image; the error, if any, comes out.
template <class F>
auto with_file(const ModelImage& image, F f) {
  std::string bytes = image.bytes();
  return f(GgufFile::parse(gguf_image::as_bytes(bytes)));
}

}  // namespace ridgeline
