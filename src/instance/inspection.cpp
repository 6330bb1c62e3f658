#include "instance/inspection.h"

#include <algorithm>

#include "instance/gguf_vocabulary.h"
#include "instance/instance.h"
#include "program/memory_plan.h"
#include "runtime/kv_memory.h"
#include "text/chat_template.h"

namespace ridgeline {
namespace {

std::vector<Inspection::TypeSum> sum_types(const GgufFile& file) {
  std::vector<Inspection::TypeSum> sums;
  for (const auto& t : file.tensors()) {
    auto at = std::find_if(sums.begin(), sums.end(), [&](const auto& s) { return s.type == t.type; });
    if (at == sums.end()) at = sums.insert(at, {t.type});
    ++at->tensors;
    at->elements += static_cast<int64_t>(t.elements);
    at->bytes += static_cast<int64_t>(t.bytes);
  }
  std::stable_sort(sums.begin(), sums.end(), [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  return sums;
}

Inspection::Memory memory_of(const GgufFile& file, const GgufModel& model) {
  bool runs = model.unsupported.empty();
  PipelineOptions options = runs ? pipeline_options(file, model.config, {}) : PipelineOptions();
  Program program = apply(build(model.name, DType::bf16, model.config), options);
  Inspection::Memory m;
  m.kv_token = KvMemory::block_bytes(program, head_dim_of(model.config)) / block_tokens;
  int64_t context = std::min<int64_t>(context_of(model.config), 4096);
  m.step_tokens = std::min<int64_t>(context, 512);
  if (runs) {
    m.weights = Weights::bytes_needed(program);
    m.activations = plan_memory(program, {{{m.step_tokens, context - m.step_tokens, 1}}}).peak;
  }
  return m;
}

void read_text(const GgufFile& file, Inspection& it) {
  const GgufMetadata& metadata = file.metadata();
  it.text.kind = metadata.find<std::string>("tokenizer.ggml.model").value_or("");
  it.text.pre = metadata.find<std::string>("tokenizer.ggml.pre").value_or("");
  if (auto* tokens = metadata.find_entry("tokenizer.ggml.tokens")) it.text.tokens = static_cast<int64_t>(tokens->count);
  if (it.text.kind.empty()) return;
  try {
    Tokenizer tokenizer(read_vocabulary(file));
    it.text.works = true;
  } catch (const Error& e) {
    if (!e.id().starts_with("unsupported_")) throw;
    it.warnings.push_back(e.what());
  }
  auto source = read_chat_template(file);
  if (!source) return;
  try {
    ChatTemplate compiled(*source);
    it.text.chat_template = true;
  } catch (const Error& e) { it.warnings.push_back(fmt::format("the chat template cannot be used: {}", e.what())); }
}

}  // namespace

Inspection inspect(const GgufFile& file) {
  Inspection it;
  it.file_bytes = static_cast<int64_t>(file.file_bytes());
  it.types = sum_types(file);
  it.warnings = file.warnings();
  for (const auto& sum : it.types) it.parameters += sum.elements;
  try {
    it.architecture = file.metadata().find<std::string>("general.architecture").value_or("");
    GgufModel model = describe_model(file);
    it.parameters = build(model.name, DType::f32, model.config).parameters();
    it.memory = memory_of(file, model);
    it.warnings.insert(it.warnings.end(), model.warnings.begin(), model.warnings.end());
    it.model = std::move(model);
    read_text(file, it);
  } catch (const Error& e) {
    if (e.code() != ExitCode::bad_data) throw;
    it.refused = e;
  }
  return it;
}

}  // namespace ridgeline
