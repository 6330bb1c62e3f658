// A model opened: file -> config -> program -> weights, KV cache and kernels; tokenizer and chat template.
#pragma once
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "kv/block_pool.h"
#include "models/catalogue.h"
#include "passes/passes.h"
#include "runtime/executor.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace ridgeline {

inline constexpr int64_t prompt_step_tokens = 512;  // a prompt is computed in steps of so many at most
inline constexpr int64_t default_context = 4096;    // tokens of the KV cache where nothing is asked for, at most

struct InstanceOptions {
  int threads = 0;                 // 0: one per processor this process may use
  int64_t context = 0;             // tokens the KV cache holds, all sequences together; 0: the model's, at most 4,096
  std::string kernels;             // the set to begin with; empty: the fastest
  std::set<std::string> disabled;  // passes and fusions left out
  std::optional<DType> weights;    // type of the weight matrices; none: as in the file
  std::optional<DType> kv;         // bf16 or f32; none: bf16
  bool needs_text = false;         // refuse a model without a tokenizer before its weights are read
  bool check_tensors = false;      // read every weight first, and refuse what is no number
};

// What opening took.
struct LoadReport {
  double seconds = 0;
  int64_t file_bytes = 0, weight_bytes = 0, kv_bytes = 0;
  std::vector<std::string> warnings;
};

class Instance {
 public:
  // Opens a GGUF file or a Hugging Face directory. Throws what open_checkpoint, read_model_config and Weights throw;
  // (unavailable) where it does not fit in memory, with what it would need.
  static std::unique_ptr<Instance> open(const std::string& path, const InstanceOptions& options);

  const std::string& name() const { return name_; }
  const ModelConfig& config() const { return config_; }
  const Program& program() const { return executor_->program(); }
  const Tokenizer& tokenizer() const;  // bad_data "no_tokenizer": the files have none
  const GenerationDefaults& generation_defaults() const { return generation_; }
  // nullptr: the files have none that works.
  const ChatTemplate* chat_template() const { return template_ ? &*template_ : nullptr; }
  Executor& executor() { return *executor_; }
  BlockPool& blocks() { return *blocks_; }
  KvMemory* kv() { return kv_ ? &*kv_ : nullptr; }
  const Weights& weights() const { return *weights_; }
  Team& team() { return *team_; }
  int64_t context() const { return context_; }
  const LoadReport& report() const { return report_; }
  const std::vector<const KernelSet*>& kernels() const { return kernels_; }

 private:
  Instance() = default;
  void load(const std::string& path, const InstanceOptions& options);
  void read_text(const Checkpoint& model);

  std::string path_, name_;
  ModelConfig config_;
  std::optional<Tokenizer> tokenizer_;
  std::optional<ChatTemplate> template_;
  GenerationDefaults generation_;
  std::unique_ptr<Team> team_;
  std::vector<const KernelSet*> kernels_;
  std::optional<Weights> weights_;
  std::optional<KvMemory> kv_;
  std::optional<BlockPool> blocks_;
  std::optional<Executor> executor_;
  int64_t context_ = 0;
  LoadReport report_;
};

// Processors this process may use.
int available_processors();
// The pass options for a model in files, which must outlive them: types as in the files unless options say otherwise.
PipelineOptions pipeline_options(const Checkpoint& model, const ModelConfig& config, const InstanceOptions& options);

}  // namespace ridgeline
