// The walk over the JSON header of a safetensors file. Private to this folder.
#pragma once
#include "base/json.h"
#include "formats/safetensors.h"

namespace ridgeline {

// {"NAME": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}, ..., "__metadata__": {"KEY": "VALUE", ...}}
// What it finds has types, shapes and extents that agree in themselves; where they lie is not checked.
class SafetensorsHeader final : public JsonWalker {
 public:
  explicit SafetensorsHeader(std::string_view text) : JsonWalker({"safetensors_header", "the header"}) {
    walk(text);
    sort_metadata();
  }

  std::vector<SafetensorsTensor> tensors;                     // offset: from the start of the data
  std::vector<std::pair<std::string, std::string>> metadata;  // sorted by key
  uint64_t unknown_fields = 0;                                // of tensors, beside the three

 private:
  enum class Place : uint8_t { start, tensors, tensor, shape, offsets, metadata, unknown };
  enum Field : uint8_t { none = 0, dtype = 1, shape = 2, data_offsets = 4, all = 7 };

  bool start_object(size_t) override;
  bool end_object() override;
  bool start_array(size_t) override;
  bool end_array() override;
  bool key(std::string&) override;
  bool string(std::string&) override;
  bool number_unsigned(uint64_t) override;
  bool null() override { return scalar("null"); }
  bool boolean(bool) override { return scalar("a boolean"); }
  bool number_integer(int64_t n) override { return scalar(std::to_string(n)); }
  bool number_float(double, const std::string& text) override { return scalar(text); }

  bool scalar(std::string_view found);
  [[noreturn]] void unexpected(std::string_view found) const;
  bool enter_unknown();
  bool leave_unknown();
  void finish_tensor();
  void sort_metadata();
  std::string subject() const;  // "tensor NAME"

  Place place_ = Place::start;
  int unknown_depth_ = 0;  // of lists and objects within a field that is not known
  uint8_t seen_ = none, field_ = none;
  std::vector<uint64_t> offsets_;
  bool has_metadata_ = false, in_metadata_ = false;
  std::string metadata_key_;
};

}  // namespace ridgeline
