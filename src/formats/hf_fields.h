// A family's fields in config.json. Private to this folder.
#pragma once
#include <nlohmann/json.hpp>

#include "models/fields.h"

namespace ridgeline {

// Reads. Of a config with a part for text (text_config), that part; what it does not say, the whole says. null is the same as
// missing. Errors (bad_data) name the field: "config_missing", "config_type" (a number as text, a fraction where a whole number
// belongs), "config_range", and "unsupported_model".
class HfFields : public Fields {
 public:
  explicit HfFields(const nlohmann::json& config);  // an object, which must outlive it
  FileFormat format() const override { return FileFormat::hf; }
  bool reads() const override { return true; }

  void ignore(FieldName) override {}
  void partial_rotary(float& base, std::vector<float>& factors, int& turned, int head_dim, LayerKind) override;
  void vocabulary(int64_t& rows) override { visit(rows, {{"", "vocab_size"}, true}, 1, limits::vocabulary); }
  void tied(bool& tied) override { visit(tied, {{"", "tie_word_embeddings"}}); }

  // What a text field says, where it is there.
  std::optional<std::string> text(std::string_view name);

 private:
  using Json = nlohmann::json;
  bool visit(int64_t& value, const Field&, int64_t least, int64_t most) override;
  bool visit(float& value, const Field&, double least, double most) override;
  bool visit(std::string& value, const Field&) override;
  bool visit(bool& value, const Field&) override;
  bool visit(std::vector<std::string>& value, const Field&) override;

  const Json* find(std::string_view name) const;  // nullptr: missing, or null
  bool is_null(FieldName n) const override;
  const Json* find(const Field&) const;      // the same; a required one that is missing is an error
  const Json* rotary_part(LayerKind) const;  // what says how the frequencies are stretched
  float number(const Json& part, std::string_view name, double least, double most) const;

  const Json &whole_, &text_;
};

}  // namespace ridgeline
