// The fields of a family's config, as files keep them. A family walks them once, in one function; whoever calls it decides
// whether they are read or written, and in which format (formats/gguf_fields.h).
#pragma once
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/limits.h"

namespace ridgeline {

// What a field is called: in GGUF's metadata, after "ARCHITECTURE.", and in config.json. Empty: the format has no such field.
struct FieldName {
  std::string_view gguf, hf;
};

enum class FileFormat : uint8_t { gguf, hf };
// Layers that a rotary base belongs to, where a model has two kinds of them.
enum class LayerKind : uint8_t { all, global, sliding };

class Fields {
 public:
  virtual ~Fields() = default;
  virtual FileFormat format() const = 0;
  virtual bool reads() const = 0;
  std::string_view name(FieldName n) const { return format() == FileFormat::gguf ? n.gguf : n.hf; }

  // One number, held to [least, most]. Reading: it must be there; find_: where it is not, `value` stays as it is. each_: GGUF
  // may hold one for each layer, all equal. Errors (bad_data) name the field and the format's own id, "gguf_key_range".
  template <std::integral T>
  void whole(T& value, FieldName n, int64_t least, int64_t most) {
    convert(value, [&](int64_t& v) { return visit(v, {n, true}, least, most); });
  }
  template <std::integral T>
  bool find_whole(T& value, FieldName n, int64_t least, int64_t most) {
    return convert(value, [&](int64_t& v) { return visit(v, {n}, least, most); });
  }
  void each_whole(int& value, FieldName n, int64_t least, int64_t most) {
    convert(value, [&](int64_t& v) { return visit(v, {n, true, true}, least, most); });
  }
  bool find_each_whole(int& value, FieldName n, int64_t least, int64_t most) {
    return convert(value, [&](int64_t& v) { return visit(v, {n, false, true}, least, most); });
  }
  void real(float& value, FieldName n, double least, double most) { visit(value, {n, true}, least, most); }
  bool find_real(float& value, FieldName n, double least, double most) { return visit(value, {n}, least, most); }
  bool find_switch(bool& value, FieldName n) { return visit(value, {n}); }
  // A text that must be `expected` where it is there: "silu".
  void expect(FieldName n, std::string_view expected);
  // A switch that must be off where it is there: what it turns on is not computed here.
  void expect_off(FieldName n);
  // A number that must not be there: what it sets is not computed here.
  void expect_none(FieldName n);
  // Known, and of no consequence.
  virtual void ignore(FieldName n) = 0;

  // --- Groups that most families have. The names are GGUF's and those of the Llama line in config.json, unless others are given.
  void layers(int& n, std::string_view hf = "num_hidden_layers");
  void dimension(int& n, std::string_view hf = "hidden_size");
  void feed_forward(int& n, std::string_view hf = "intermediate_size");
  void context(int64_t& n, std::string_view hf = "max_position_embeddings");
  // Query heads, heads of keys and values (as many where it is not said) and the elements of one: where it is not said, head_dim
  // as it is, and dim / heads for 0.
  void heads(int& heads, int& kv_heads, int& head_dim, int dim, std::string_view hf = "num_attention_heads");
  void epsilon(float& eps, FieldName n = {"attention.layer_norm_rms_epsilon", "rms_norm_eps"});
  void window(int& keys);  // 0: none
  // A cap of scores or logits (ops/soft_cap.h); 0: none. Where the file does not say it, it stays as it is; null in config.json
  // says that there is none.
  void soft_cap(float& cap, FieldName n);
  // Every `pattern`th layer sees all keys, the others a window. config.json may list the kind of each layer instead: lists of
  // other forms are refused.
  void window_pattern(int& pattern, int layers);
  void refuse_experts();
  // The frequencies of the rotary positions; base stays where the file does not say it. Turns that take only a part of a head,
  // and ways of stretching that are not divisors of the frequencies, are refused.
  void rotary(float& base, std::vector<float>& factors, int head_dim, LayerKind = LayerKind::all);
  // The same where only the first `turned` elements of a head may turn; stays where the file does not say it.
  virtual void partial_rotary(float& base, std::vector<float>& factors, int& turned, int head_dim,
                              LayerKind = LayerKind::all) = 0;
  virtual void vocabulary(int64_t& rows) = 0;  // rows of the embedding
  virtual void tied(
      bool& tied) = 0;  // no tensor of its own for the head; stays where the format keeps it in the config

  // A variant that is not computed here: bad_data "unsupported_model".
  template <class... A>
  [[noreturn]] void refuse(fmt::format_string<A...> text, A&&... args) const {
    fail(ExitCode::bad_data, "unsupported_model", text, std::forward<A>(args)...);
  }
  // A value that contradicts another.
  template <class... A>
  [[noreturn]] void contradiction(fmt::format_string<A...> text, A&&... args) const {
    fail(ExitCode::bad_data, format() == FileFormat::gguf ? "gguf_key_range" : "config_range", text,
         std::forward<A>(args)...);
  }

 protected:
  struct Field {
    FieldName name;
    bool required = false, per_layer = false;
  };
  // Reads into `value`, or writes it; whether it was there. A field without a name in the format is not there; a required one
  // keeps its value then.
  virtual bool visit(int64_t& value, const Field&, int64_t least, int64_t most) = 0;
  virtual bool visit(float& value, const Field&, double least, double most) = 0;
  virtual bool visit(std::string& value, const Field&) = 0;
  virtual bool visit(bool& value, const Field&) = 0;
  virtual bool visit(std::vector<std::string>& value, const Field&) = 0;
  // Whether the file says that the field has no value.
  virtual bool is_null(FieldName) const { return false; }
  // Called when the number of layers is known, before anything of that size is made.
  virtual void check_layers(int64_t) {}

 private:
  template <class T, class F>
  static bool convert(T& value, F visit) {
    int64_t v = value;
    bool there = visit(v);
    value = static_cast<T>(v);  // within `most`, a row of base/limits.h
    return there;
  }
};

}  // namespace ridgeline
