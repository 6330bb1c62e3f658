#include "formats/safetensors_header.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "base/printable.h"

namespace ridgeline {
namespace {

template <class... A>
[[noreturn]] void bad(std::string id, fmt::format_string<A...> text, A&&... args) {
  fail(ExitCode::bad_data, std::move(id), text, std::forward<A>(args)...);
}

constexpr std::string_view metadata_name = "__metadata__";

}  // namespace

std::string SafetensorsHeader::subject() const { return "tensor " + printable(tensors.back().name); }

void SafetensorsHeader::unexpected(std::string_view found) const {
  std::string what, expected, id = source().id;
  switch (place_) {
    case Place::start: what = "the header", expected = "an object, one entry for each tensor"; break;
    case Place::tensors: what = in_metadata_ ? std::string(metadata_name) : subject(), expected = "an object"; break;
    case Place::metadata:
      what = fmt::format("{} {}", metadata_name, printable(metadata_key_)), expected = "text";
      id = "safetensors_metadata";
      break;
    default:
      bool inside = place_ != Place::tensor;  // of a list
      bool is_dtype = field_ == dtype, is_shape = field_ == shape;
      what = (is_dtype ? "dtype of " : is_shape ? "the shape of " : "data_offsets of ") + subject();
      if (inside) what += ", in its list,";
      expected = inside ? "whole numbers from 0 on" : is_dtype ? "text" : is_shape ? "a list" : "a list of two";
      id = is_dtype ? "safetensors_dtype" : is_shape ? "safetensors_shape" : "safetensors_offsets";
  }
  bad(std::move(id), "{} is {}; expected {}.", what, found, expected);
}

// A value that no known place takes: the whole of a field nobody knows, or a fault.
bool SafetensorsHeader::scalar(std::string_view found) {
  if (place_ == Place::unknown || (place_ == Place::tensor && field_ == none)) return true;
  unexpected(found);
}

bool SafetensorsHeader::enter_unknown() {
  place_ = Place::unknown;
  if (++unknown_depth_ > limits::json_depth)
    bad(source().id, "{} has a field that is nested more than {} deep.", subject(), limits::json_depth);
  return true;
}
bool SafetensorsHeader::leave_unknown() {
  if (--unknown_depth_ == 0) place_ = Place::tensor;
  return true;
}

bool SafetensorsHeader::start_object(size_t) {
  switch (place_) {
    case Place::start: place_ = Place::tensors; return true;
    case Place::tensors:
      place_ = in_metadata_ ? Place::metadata : Place::tensor;
      seen_ = field_ = none;
      return true;
    case Place::unknown: return enter_unknown();
    case Place::tensor:
      if (field_ == none) return enter_unknown();
      [[fallthrough]];
    default: unexpected("an object");
  }
}

bool SafetensorsHeader::end_object() {
  if (place_ == Place::unknown) return leave_unknown();
  if (place_ == Place::tensor) finish_tensor();
  place_ = Place::tensors;
  return true;
}

bool SafetensorsHeader::start_array(size_t) {
  if (place_ == Place::unknown || (place_ == Place::tensor && field_ == none)) return enter_unknown();
  if (place_ == Place::tensor && field_ == shape) return place_ = Place::shape, true;
  if (place_ == Place::tensor && field_ == data_offsets) return place_ = Place::offsets, true;
  unexpected("a list");
}

bool SafetensorsHeader::end_array() {
  if (place_ == Place::unknown) return leave_unknown();
  place_ = Place::tensor;
  return true;
}

bool SafetensorsHeader::key(std::string& name) {
  switch (place_) {
    case Place::tensors:
      in_metadata_ = name == metadata_name;
      if (in_metadata_) {
        if (has_metadata_) bad("safetensors_duplicate", "{} is there twice.", metadata_name);
        return has_metadata_ = true;
      }
      if (name.size() > limits::safetensors_name_bytes)
        bad("safetensors_limit", "the name of a tensor has {} bytes; expected at most {}.", name.size(),
            limits::safetensors_name_bytes);
      if (tensors.size() == limits::safetensors_tensors)
        bad("safetensors_limit", "there are more than {} tensors.", limits::safetensors_tensors);
      tensors.emplace_back().name = std::move(name);
      offsets_.clear();
      return true;
    case Place::tensor:
      field_ = name == "dtype" ? dtype : name == "shape" ? shape : name == "data_offsets" ? data_offsets : none;
      if (field_ == none) {
        ++unknown_fields;
      } else if (seen_ & field_) {
        bad("safetensors_duplicate", "{} has {} twice; readers would not agree on it.", subject(), name);
      }
      seen_ |= field_;
      return true;
    case Place::metadata:
      if (metadata.size() == limits::safetensors_metadata_entries)
        bad("safetensors_limit", "{} has more than {} entries.", metadata_name, limits::safetensors_metadata_entries);
      metadata_key_ = std::move(name);
      return true;
    default: return true;  // of an object within a field that is not known
  }
}

bool SafetensorsHeader::string(std::string& text) {
  if (place_ == Place::metadata) return metadata.emplace_back(metadata_key_, std::move(text)), true;
  if (place_ != Place::tensor || field_ != dtype) return scalar(printable(text));
  auto& t = tensors.back();
  t.type = find_safetensors_type(text);
  if (!t.type) {
    std::string known;
    for (auto& type : safetensors_types()) known += fmt::format("{}{}", known.empty() ? "" : ", ", type.name);
    bad("safetensors_dtype", "{} has the dtype {}; expected one of: {}.", subject(), printable(text), known);
  }
  return true;
}

bool SafetensorsHeader::number_unsigned(uint64_t n) {
  if (place_ == Place::offsets) {
    if (offsets_.size() == 2) bad("safetensors_offsets", "data_offsets of {} has more than two numbers.", subject());
    offsets_.push_back(n);
    return true;
  }
  if (place_ != Place::shape) return scalar(std::to_string(n));
  auto& dims = tensors.back().shape;
  if (dims.size() == limits::safetensors_dimensions)
    bad("safetensors_shape", "{} has more than {} dimensions.", subject(), limits::safetensors_dimensions);
  dims.push_back(n);
  return true;
}

void SafetensorsHeader::finish_tensor() {
  for (auto [field, name] : {std::pair(dtype, "dtype"), {shape, "shape"}, {data_offsets, "data_offsets"}})
    if (!(seen_ & field)) bad("safetensors_header", "{} has no {}.", subject(), name);
  auto& t = tensors.back();
  std::optional<uint64_t> elements = 1;
  for (uint64_t n : t.shape) elements = elements && n <= INT64_MAX ? checked_mul(*elements, n) : std::nullopt;
  std::optional<uint64_t> bits = elements ? checked_mul(*elements, t.type->bits) : std::nullopt;
  if (!bits)
    bad("safetensors_shape", "{} has the shape {}: more than 2^64 bits.", subject(), fmt::join(t.shape, " x "));
  t.elements = *elements;
  if (*bits % 8)
    bad("safetensors_shape", "{} of {} elements of {} bits ends in the middle of a byte.", subject(), t.elements,
        t.type->bits);
  t.bytes = *bits / 8;
  if (offsets_.size() != 2) bad("safetensors_offsets", "data_offsets of {} has fewer than two numbers.", subject());
  if (offsets_[0] > offsets_[1])
    bad("safetensors_offsets", "data_offsets of {} are {} and {}: the end comes before the beginning.", subject(),
        offsets_[0], offsets_[1]);
  t.offset = offsets_[0];
  if (uint64_t found = offsets_[1] - offsets_[0]; found != t.bytes)
    bad("safetensors_size", "tensor {} takes {} bytes, but data_offsets give it {}, from {} to {}.", t.text(), t.bytes,
        found, offsets_[0], offsets_[1]);
}

void SafetensorsHeader::sort_metadata() {
  std::sort(metadata.begin(), metadata.end());
  auto twice = std::adjacent_find(metadata.begin(), metadata.end(),
                                  [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twice != metadata.end()) bad("safetensors_duplicate", "{} has {} twice.", metadata_name, printable(twice->first));
}

}  // namespace ridgeline
