#include "instance/inspection.h"

#include <algorithm>

#include "instance/instance.h"
#include "instance/model_text.h"
#include "program/memory_plan.h"
#include "runtime/kv_memory.h"
#include "text/chat_template.h"

namespace ridgeline {
namespace {

std::vector<Inspection::TypeSum> sum_types(const Checkpoint& model) {
  std::vector<Inspection::TypeSum> sums;
  for (size_t i = 0; i < model.size(); ++i) {
    StoredTensor t = model.at(i);
    auto at = std::find_if(sums.begin(), sums.end(), [&](const auto& s) { return s.type == t.type; });
    if (at == sums.end()) at = sums.insert(at, {t.type, t.dtype.has_value()});
    ++at->tensors;
    at->elements += t.elements;
    at->bytes += static_cast<int64_t>(t.bytes.size());
  }
  std::stable_sort(sums.begin(), sums.end(), [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  return sums;
}

Inspection::Memory memory_of(const Checkpoint& files, const ModelDescription& model) {
  bool runs = model.unsupported.empty();
  PipelineOptions options = runs ? pipeline_options(files, model.config, {}) : PipelineOptions();
  Program program = apply(build(model.name, DType::bf16, model.config), options);
  Inspection::Memory m;
  m.kv_token = KvMemory::block_bytes(program, head_dim_of(model.config)) / block_tokens;
  int64_t context = std::min<int64_t>(context_of(model.config), 4096);
  m.step_tokens = std::min(context, prompt_step_tokens);
  if (runs) {
    m.weights = Weights::bytes_needed(program);
    m.activations = plan_memory(program, {{{m.step_tokens, context - m.step_tokens, 1}}}).peak;
  }
  return m;
}

void read_text(const Checkpoint& model, Inspection& it) {
  TokenizerFacts facts = tokenizer_facts(model);
  it.text.kind = facts.kind;
  it.text.pre = facts.pre;
  it.text.tokens = facts.tokens;
  if (facts.kind.empty()) return;
  try {
    if (auto vocabulary = vocabulary_in(model)) {
      Tokenizer tokenizer(*vocabulary);
      it.text.works = true;
      it.text.tokens = tokenizer.size();
    }
  } catch (const Error& e) {
    if (!e.id().starts_with("unsupported_")) throw;
    it.warnings.push_back(e.what());
  }
  auto source = chat_template_in(model);
  if (!source) return;
  try {
    ChatTemplate compiled(*source);
    it.text.chat_template = true;
  } catch (const Error& e) { it.warnings.push_back(fmt::format("the chat template cannot be used: {}", e.what())); }
}

}  // namespace

Inspection inspect(const Checkpoint& files) {
  Inspection it;
  it.architecture = files.architecture();
  it.file_bytes = files.file_bytes();
  it.types = sum_types(files);
  it.warnings = files.warnings();
  for (const auto& sum : it.types) it.parameters += sum.elements;
  try {
    ModelDescription model = describe_model(files);
    it.parameters = build(model.name, DType::f32, model.config).parameters();
    it.memory = memory_of(files, model);
    it.warnings.insert(it.warnings.end(), model.warnings.begin(), model.warnings.end());
    it.model = std::move(model);
    read_text(files, it);
  } catch (const Error& e) {
    if (e.code() != ExitCode::bad_data) throw;
    it.refused = e;
  }
  return it;
}

}  // namespace ridgeline
