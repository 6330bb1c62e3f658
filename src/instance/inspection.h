// What a model file holds and what it takes to run it, found out from its header alone.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "formats/checkpoint.h"

namespace ridgeline {

struct Inspection {
  std::string architecture;               // as the file has it
  std::optional<ModelDescription> model;  // none: `refused` says why
  int64_t parameters = 0;                 // of the model; of all tensors where there is none
  int64_t file_bytes = 0;

  struct TypeSum {
    std::string_view type;  // as the format spells it
    bool computes = false;
    int64_t tensors = 0, elements = 0, bytes = 0;
  };
  std::vector<TypeSum> types;  // those that occur, most bytes first

  // What running takes: weights and activations only where every weight has a type that computes.
  struct Memory {
    std::optional<int64_t> weights;      // bytes, packed
    std::optional<int64_t> activations;  // bytes at their peak, in a step of step_tokens
    int64_t step_tokens = 0;
    int64_t kv_token = 0;  // bytes that a token takes in the KV cache
  };
  std::optional<Memory> memory;

  struct Text {
    std::string kind, pre;  // GGUF: tokenizer.ggml.model and .pre; empty where missing
    int64_t tokens = 0;
    bool works = false;          // the tokenizer takes it
    bool chat_template = false;  // there is one, and it compiles
  };
  Text text;

  std::vector<std::string> warnings;
  // Why the file cannot run although its header is sound: the model is unknown, or what it says contradicts itself. A
  // weight type that does not compute (model->unsupported) and a tokenizer of another kind are not errors.
  std::optional<Error> refused;
};

// Never fails on what a file says: see `refused`.
Inspection inspect(const Checkpoint& model);

}  // namespace ridgeline
