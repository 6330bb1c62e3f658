// A family's fields in GGUF: the metadata keys "ARCHITECTURE.*", and what tensors say beside them. Private to this folder.
#pragma once
#include <optional>
#include <set>

#include "formats/gguf.h"
#include "formats/gguf_writer.h"
#include "models/fields.h"

namespace ridgeline {

// Reads. Each value is held to a range as it is read; keys that nobody asked for are left. Errors: those of describe_model.
class GgufReadFields : public Fields {
 public:
  GgufReadFields(const GgufFile& file, std::string_view architecture)
      : file_(file), metadata_(file.metadata()), prefix_(std::string(architecture) + '.') {}
  FileFormat format() const override { return FileFormat::gguf; }
  bool reads() const override { return true; }

  void ignore(FieldName n) override { key(n.gguf); }
  void partial_rotary(float& base, std::vector<float>& factors, int& turned, int head_dim, LayerKind) override;
  void vocabulary(int64_t& rows) override;
  void tied(bool& tied) override { tied = !file_.find_tensor("output.weight"); }

  std::vector<std::string> left() const;

 private:
  bool visit(int64_t& value, const Field&, int64_t least, int64_t most) override;
  bool visit(float& value, const Field&, double least, double most) override;
  bool visit(std::string& value, const Field&) override;
  bool visit(bool& value, const Field&) override;
  bool visit(std::vector<std::string>& value, const Field&) override;
  void check_layers(int64_t layers) override;

  std::string key(std::string_view name) { return *asked_.insert(prefix_ + std::string(name)).first; }
  template <class T>
  std::optional<T> find(const Field&);
  void each_layer_alike(int64_t& value, const GgufEntry&) const;
  std::vector<float> stretched(float linear, int turned) const;

  const GgufFile& file_;
  const GgufMetadata& metadata_;
  std::string prefix_;
  std::set<std::string> asked_;
  int64_t layers_ = 0;
};

// Writes into a header. Divisors of rotary frequencies that are not all alike go into a tensor, rope_freqs.weight, which is the
// caller's to write.
class GgufWriteFields : public Fields {
 public:
  GgufWriteFields(GgufHeader& header, std::string_view architecture)
      : header_(header), prefix_(std::string(architecture) + '.') {}
  FileFormat format() const override { return FileFormat::gguf; }
  bool reads() const override { return false; }

  void ignore(FieldName) override {}
  void partial_rotary(float& base, std::vector<float>& factors, int& turned, int head_dim, LayerKind) override;
  void vocabulary(int64_t& rows) override { visit(rows, {{"vocab_size", ""}}, 1, limits::vocabulary); }
  void tied(bool&) override {}  // by its tensors

  const std::vector<float>& rope_freqs() const { return rope_freqs_; }

 private:
  bool visit(int64_t& value, const Field&, int64_t least, int64_t most) override;
  bool visit(float& value, const Field&, double least, double most) override;
  bool visit(std::string& value, const Field&) override;
  bool visit(bool& value, const Field&) override;
  bool visit(std::vector<std::string>& value, const Field&) override;
  template <class T>
  bool set(FieldName n, T value) {
    if (!n.gguf.empty()) header_.set(prefix_ + std::string(n.gguf), value);
    return true;
  }

  GgufHeader& header_;
  std::string prefix_;
  std::vector<float> rope_freqs_;
};

}  // namespace ridgeline
