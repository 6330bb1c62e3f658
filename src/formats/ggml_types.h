// The element types a GGUF file may name, by the ids of `enum ggml_type` in the format's reference implementation.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tensor/dtype.h"

namespace ridgeline {

struct GgmlType {
  uint32_t id;
  std::string_view name;       // as the format spells it: "Q4_K"
  uint64_t block;              // elements a block holds
  uint64_t block_bytes;        // bytes a block takes; 0: the type was removed from the format
  std::optional<DType> dtype;  // how it computes here, if it does

  bool removed() const { return block_bytes == 0; }
};

// All types, removed ones too, in ascending order of id.
std::span<const GgmlType> ggml_types();

// Names of those that compute here: "F32, F16, Q4_0, ...".
std::string computing_ggml_types();

// nullptr when no version of the format known here has this id.
const GgmlType* find_ggml_type(uint32_t id);

// The stored form of a type that has one (stored_types). Anything else is a fault of the caller.
const GgmlType& ggml_type_of(DType type);

}  // namespace ridgeline
