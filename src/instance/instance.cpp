#include "instance/instance.h"

#include <malloc.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/limits.h"
#include "formats/check_tensors.h"
#include "formats/open.h"
#include "instance/memory_fit.h"
#include "instance/model_text.h"
#include "program/memory_plan.h"

namespace ridgeline {
namespace {

MemoryNeed memory_need(const Program& program, const ModelConfig& config, int64_t context) {
  MemoryNeed need{.weights = Weights::bytes_needed(program), .context = context};
  if (program.is_cached()) need.block = KvMemory::block_bytes(program, head_dim_of(config));
  int64_t step = std::min(prompt_step_tokens, context);
  need.scratch = plan_memory(program, {{{step, context - step, 1}}}).peak;
  return need;
}

}  // namespace

int available_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) ? 1 : std::clamp(CPU_COUNT(&set), 1, static_cast<int>(limits::threads));
}

PipelineOptions pipeline_options(const Checkpoint& model, const ModelConfig& config, const InstanceOptions& o) {
  auto as_in_file = [&model, &table = model.bindings(config), wanted = o.weights](const std::string& weight,
                                                                                  DType now) {
    if (wanted) return *wanted;
    auto bound = bind_tensor(table, weight);
    auto t = bound ? model.find(*bound) : std::nullopt;
    return t && t->dtype ? *t->dtype : model.declared_type().value_or(now);
  };
  return {.retype = {as_in_file, o.kv}, .disabled = o.disabled};
}

std::unique_ptr<Instance> Instance::open(const std::string& path, const InstanceOptions& options) {
  std::unique_ptr<Instance> it(new Instance);
  auto start = std::chrono::steady_clock::now();
  it->load(path, options);
  it->report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return it;
}

void Instance::load(const std::string& path, const InstanceOptions& o) {
  check_names(o.disabled);
  kernels_ = usable_kernel_sets(o.kernels);
  path_ = path;
  auto files = open_checkpoint(path);
  ModelDescription model = read_model_config(*files);
  if (o.check_tensors) check_tensors(*files);
  name_ = std::move(model.name);
  config_ = std::move(model.config);
  read_text(*files);
  malloc_trim(0);  // gives back what reading the vocabulary took, before the weights come
  if (o.needs_text) tokenizer();
  generation_ = files->generation_defaults();

  Program program = apply(build(name_, DType::bf16, config_), pipeline_options(*files, config_, o));
  context_ = o.context ? o.context : std::min(context_of(config_), default_context);
  int64_t blocks = (context_ + block_tokens - 1) / block_tokens;
  MemoryNeed need = memory_need(program, config_, context_);
  require_fit(name_, need, memory_limit());

  team_ = std::make_unique<Team>(o.threads ? o.threads : available_processors());
  weights_ = Weights::load(program, *files, config_, *team_);
  blocks_.emplace(blocks);
  if (program.is_cached()) kv_.emplace(program, head_dim_of(config_), blocks);
  if (context_ > context_of(config_))
    report_.warnings.push_back(
        fmt::format("the model was trained for {} tokens of context; {} are asked for", context_of(config_), context_));
  report_.file_bytes = files->file_bytes();
  report_.weight_bytes = weights_->bytes();
  report_.kv_bytes = need.kv();
  for (const auto& w : files->warnings()) report_.warnings.push_back(w);
  for (auto& w : model.warnings) report_.warnings.push_back(std::move(w));
  executor_.emplace(std::move(program), *weights_, kv_ ? &*kv_ : nullptr, *team_, kernels_);
}

const Tokenizer& Instance::tokenizer() const {
  if (!tokenizer_)
    fail(ExitCode::bad_data, "no_tokenizer", "{} has no tokenizer: it computes, but text cannot go in or come out",
         path_);
  return *tokenizer_;
}

void Instance::read_text(const Checkpoint& model) {
  try {
    auto vocabulary = vocabulary_in(model);
    if (!vocabulary) return;
    tokenizer_.emplace(*vocabulary);
  } catch (const Error& e) { throw e.loading(path_); }
  auto source = chat_template_in(model);
  if (!source) return;
  auto token_text = [&](std::optional<int32_t> id) -> std::optional<std::string> {
    if (!id) return {};
    return std::string(tokenizer_->token_text(*id));
  };
  auto bos = token_text(tokenizer_->bos()), eos = token_text(tokenizer_->eos());
  try {
    template_.emplace(*source, bos, eos);
  } catch (const Error& e) {  // raw completion still works
    report_.warnings.push_back(fmt::format("the chat template cannot be used: {}", e.what()));
  }
}

}  // namespace ridgeline
