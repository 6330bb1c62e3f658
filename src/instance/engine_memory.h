// What this process will hold once a model is open and computes: the memory plan of the engine itself, to hold beside what the
// system says it took.
#pragma once
#include "models/catalogue.h"
#include "program/program.h"

namespace ridgeline {

class EngineMemory {
 public:
  // program: as it runs. has_vocabulary: a tokenizer is read. context: tokens the KV cache has room for.
  EngineMemory(const Program& program, const ModelConfig& config, bool has_vocabulary, int64_t context);

  int64_t program() const { return program_bytes; }  // code, libraries, allocator, thread stacks
  int64_t vocabulary() const { return vocabulary_; }
  int64_t weights() const { return weights_; }  // packed
  static constexpr int64_t huge_page = 2 << 20, small_page = 4096;
  // Resident of the KV cache when `tokens` have been stored by one sequence: pages are taken as they are touched. They are huge
  // ones where the system has any left.
  int64_t kv(int64_t tokens, int64_t page = huge_page) const;
  // Of the values of steps: a prompt of `tokens`, in chunks of prompt_step_tokens, at the end of `cached`.
  int64_t scratch(int64_t tokens, int64_t cached = 0) const;

  int64_t loaded() const { return program_bytes + vocabulary_ + weights_; }
  int64_t after(int64_t prompt, int64_t answer) const { return loaded() + kv(prompt + answer) + scratch(prompt); }

 private:
  static constexpr int64_t program_bytes = 14 << 20;  // measured: `ridgeline run` of a model of a few kilobytes
  const Program* program_;
  int64_t vocabulary_ = 0, weights_ = 0, blocks_ = 0;
  std::vector<int64_t> layer_blocks_;  // bytes of a block, by pair of keys and values
};

}  // namespace ridgeline
