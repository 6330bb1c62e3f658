// One sequence on an open model: what it holds of the cache, prefill in chunks, one token at a time after that.
#pragma once
#include <functional>
#include <string>

#include "instance/instance.h"
#include "sampling/sampler.h"

namespace ridgeline {

// Tokens of one conversation and the blocks that hold their keys and values.
class Conversation {
 public:
  explicit Conversation(Instance& instance) : instance_(&instance), table_(instance.blocks()) {}

  // Computes `tokens` after what is there and returns the logits of the last; in chunks of at most `chunk`. Throws Error
  // (unavailable, "context_full") where they do not fit, before anything is computed. on_chunk: called between chunks; false
  // stops, and what was computed stays.
  Logits extend(std::span<const int32_t> tokens, int64_t chunk = prompt_step_tokens,
                const std::function<bool()>& on_chunk = {});
  void cut(int64_t tokens);  // forgets everything after the first `tokens`
  const std::vector<int32_t>& tokens() const { return tokens_; }

 private:
  Instance* instance_;
  BlockTable table_;
  std::vector<int32_t> tokens_;
};

enum class Finish : uint8_t { end_of_text, stop_string, token_limit, context_full, interrupted };
std::string_view name_of(Finish);

// A step that was computed: `fresh` new tokens on `cached` others.
struct StepDone {
  int64_t fresh, cached;
  double seconds;
};

struct GenerateOptions {
  SamplerOptions sampler;
  int64_t limit = -1;              // tokens to generate at most; -1: until the context is full
  std::vector<std::string> stops;  // stop strings
  bool ignore_eos = false;
  std::function<void(const StepDone&)> on_step = {};  // the whole prompt first, then token by token
  int probabilities = -1;  // of each token, and of so many of the most probable; -1: none are computed
};

struct Generated {
  std::vector<int32_t> tokens;             // without the end-of-text token
  std::vector<ChosenToken> probabilities;  // of each of them, where they were asked for
  std::string text;                        // what was passed on: valid UTF-8
  Finish finish = Finish::end_of_text;
  int64_t prompt_tokens = 0;
  double prompt_seconds = 0, answer_seconds = 0;  // answer: from the first token to the last
  int64_t answer_steps = 0;                       // tokens computed in answer_seconds
};

// Continues a conversation with `prompt` and then with sampled tokens. on_text gets pieces of valid UTF-8 as they become
// certain; interrupted() is asked between steps. Throws what Conversation::extend, sample and SamplerOptions::check_tokens throw.
Generated generate(Instance&, Conversation&, std::span<const int32_t> prompt, const GenerateOptions&,
                   const std::function<void(std::string_view)>& on_text, const std::function<bool()>& interrupted = {});

}  // namespace ridgeline
