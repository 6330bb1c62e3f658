#include "cli/inspection_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "base/text_table.h"
#include "cost/explain.h"
#include "formats/gguf.h"
#include "formats/hf_directory.h"
#include "ops/attention.h"

namespace ridgeline {
namespace {

using Align = TextTable::Align;
using Json = nlohmann::ordered_json;

std::string bytes_text(int64_t n) { return n < 1000 ? fmt::format("{} B", n) : quantity(static_cast<double>(n)) + "B"; }
std::string many(int64_t n, std::string_view what) {
  return fmt::format("{} {}{}", grouped(n), what, n == 1 ? "" : "s");
}
std::string plain(std::string_view text) {  // printable() without its quotes where it changed nothing
  std::string quoted = printable(text);
  return quoted.size() == text.size() + 2 ? std::string(text) : quoted;
}

// Layers that see only the last `keys` tokens.
struct Windows {
  int layers = 0, keys = 0;
};
Windows windows_of(const ModelConfig& config) {
  Windows w;
  for (const auto& n : build("", DType::f32, config).nodes)
    if (auto* a = n.op.as<Attention>(); a && a->window) ++w.layers, w.keys = a->window;
  return w;
}

std::string shape_text(const ModelConfig& config) {
  const ModelFacts& m = config.facts();
  std::string text =
      fmt::format("{} of {}, {} of {}", many(m.layers, "layer"), grouped(m.dim), many(m.heads, "head"), m.head_dim);
  if (m.kv_heads != m.heads) text += fmt::format(" ({} for keys and values)", m.kv_heads);
  text += fmt::format(", feed-forward {}", grouped(m.ffn));
  if (m.tied) text += ", the head is the embedding";
  if (auto w = windows_of(config); w.layers) {
    text += fmt::format(", a window of {} tokens", grouped(w.keys));
    if (w.layers != m.layers) text += fmt::format(" in {}", many(w.layers, "layer"));
  }
  return text;
}

std::string memory_text(const Inspection& it) {
  const auto& m = *it.memory;
  int64_t trained = context_of(it.model->config), usual = std::min<int64_t>(trained, 4096);
  TextTable table({{"memory to run it", Align::left}, {"bytes"}});
  table.row({"weights, packed", m.weights ? bytes_text(*m.weights) : "-"});
  table.row({"KV cache, each token", bytes_text(m.kv_token)});
  if (usual < trained) table.row({fmt::format("KV cache, {} tokens", grouped(usual)), bytes_text(m.kv_token * usual)});
  table.row({fmt::format("KV cache, {} tokens, as trained", grouped(trained)), bytes_text(m.kv_token * trained)});
  table.row({fmt::format("activations, a step of {}", many(m.step_tokens, "token")),
             m.activations ? bytes_text(*m.activations) : "-"});
  return table.text();
}

std::string types_text(const Inspection& it) {
  TextTable table({{"type", Align::left}, {"tensors"}, {"elements"}, {"bytes"}, {"", Align::left}});
  for (const auto& s : it.types)
    table.row({std::string(s.type), grouped(s.tensors), grouped(s.elements), grouped(s.bytes),
               s.computes ? "" : "does not compute here"});
  return table.text();
}

std::string tokenizer_text(const Inspection& it) {
  const auto& t = it.text;
  if (t.kind.empty()) return "none";
  std::string text = plain(t.kind);
  if (!t.pre.empty()) text += ", pre-tokenizer " + plain(t.pre);
  return text + ", " + many(t.tokens, "token") + (t.works ? "" : ", not supported");
}

const GgufFile* as_gguf(const Checkpoint& model) { return dynamic_cast<const GgufFile*>(&model); }

std::string name_of(const Checkpoint& model, const Inspection& it) {
  if (it.model) return it.model->name;
  auto* gguf = as_gguf(model);
  auto* name = gguf ? gguf->metadata().find_entry("general.name") : nullptr;
  return name ? gguf->metadata().show(*name) : "a model without a name";
}

bool is_unsupported(const Inspection& it, const StoredTensor& t) {
  if (!it.model) return !t.dtype;
  const auto& list = it.model->unsupported;
  return std::any_of(list.begin(), list.end(), [&](const StoredTensor& u) { return u.name == t.name; });
}

std::string files_text(const Checkpoint& model) {
  std::string tensors = many(static_cast<int64_t>(model.size()), "tensor");
  size_t files = model.files().size();
  if (auto* gguf = as_gguf(model)) {
    std::string parts = files > 1 ? fmt::format(" in {} parts", files) : "";
    return fmt::format("GGUF version {}{}, {}, {}", gguf->version(), parts, tensors,
                       many(static_cast<int64_t>(gguf->metadata().entries().size()), "metadata key"));
  }
  return fmt::format("safetensors in {}, {}", many(static_cast<int64_t>(files), "file"), tensors);
}

Json config_json(const ModelConfig& config) {
  const ModelFacts& m = config.facts();
  Json j = {{"layers", m.layers}, {"head_dim", m.head_dim}, {"kv_heads", m.kv_heads}};
  j["dim"] = m.dim, j["heads"] = m.heads, j["ffn"] = m.ffn;
  j["vocab"] = m.vocab, j["context"] = m.context, j["eps"] = m.eps, j["tied"] = m.tied;
  if (m.rope_base) j["rope_base"] = m.rope_base, j["rope_factors"] = m.rope_factors;
  auto windows = windows_of(config);
  j["window"] = windows.keys, j["windowed_layers"] = windows.layers;
  return j;
}

Json value_json(const GgufMetadata& metadata, const GgufEntry& e) {
  if (e.is_array) return {{"type", name_of(e.type)}, {"count", e.count}, {"begins", metadata.show(e)}};
  switch (e.type) {
    case GgufType::string: return metadata.get<std::string>(e.key);
    case GgufType::boolean: return metadata.get<bool>(e.key);
    case GgufType::float32:
    case GgufType::float64: return metadata.get<double>(e.key);
    case GgufType::uint64: return metadata.get<uint64_t>(e.key);
    default: return metadata.get<int64_t>(e.key);
  }
}

}  // namespace

std::string inspection_text(const Checkpoint& model, const Inspection& it) {
  std::string text = fmt::format("{}   {}   {} parameters   {} on disk\n", name_of(model, it),
                                 it.architecture.empty() ? "no architecture" : plain(it.architecture),
                                 parameter_text(it.parameters), bytes_text(it.file_bytes));
  if (it.model) {
    text += shape_text(it.model->config) + "\n";
    text += fmt::format("trained for {} tokens of context, vocabulary of {}\n\n", grouped(context_of(it.model->config)),
                        grouped(vocabulary_of(it.model->config)));
    text += memory_text(it) + "\n";
  }
  text += types_text(it) + "\n";
  text += fmt::format("tokenizer      {}\n", tokenizer_text(it));
  text += fmt::format("chat template  {}\n", it.text.chat_template ? "yes" : "no");
  text += fmt::format("files          {}\n", files_text(model));
  if (it.model && !it.model->unsupported.empty())
    text +=
        fmt::format("cannot run     {} of the weights have a type that nothing computes with here: the first is {}\n",
                    grouped(static_cast<int64_t>(it.model->unsupported.size())), it.model->unsupported.front().text());
  for (const auto& w : it.warnings) text += fmt::format("warning        {}\n", w);
  return text;
}

Json inspection_json(const Checkpoint& model, const Inspection& it) {
  Json j = {{"architecture", it.architecture},
            {"name", nullptr},
            {"parameters", it.parameters},
            {"file_bytes", it.file_bytes}};
  auto* gguf = as_gguf(model);
  j["format"] = gguf ? "gguf" : "safetensors";
  j["gguf_version"] = gguf ? Json(gguf->version()) : Json();
  j["files"] = model.files().size();
  j["config"] = nullptr;
  if (it.model) j["name"] = it.model->name, j["config"] = config_json(it.model->config);
  j["types"] = Json::array();
  for (const auto& s : it.types)
    j["types"].push_back({{"type", s.type},
                          {"computes", s.computes},
                          {"tensors", s.tensors},
                          {"elements", s.elements},
                          {"bytes", s.bytes}});
  j["memory"] = nullptr;
  if (it.memory) {
    auto or_null = [](std::optional<int64_t> n) { return n ? Json(*n) : Json(); };
    const auto& m = *it.memory;
    j["memory"] = {{"weight_bytes", or_null(m.weights)},
                   {"kv_bytes_per_token", m.kv_token},
                   {"kv_bytes_trained_context", m.kv_token * context_of(it.model->config)},
                   {"step_tokens", m.step_tokens},
                   {"activation_bytes", or_null(m.activations)}};
  }
  j["tokenizer"] = {{"kind", it.text.kind}, {"pre", it.text.pre}, {"tokens", it.text.tokens}, {"works", it.text.works}};
  j["chat_template"] = it.text.chat_template;
  j["unsupported"] = Json::array();
  if (it.model)
    for (const auto& t : it.model->unsupported) j["unsupported"].push_back(t.name);
  j["warnings"] = it.warnings;
  j["error"] = nullptr;
  if (it.refused) j["error"] = {{"id", it.refused->id()}, {"message", it.refused->what()}};
  return j;
}

std::string tensors_text(const Checkpoint& model, const Inspection& it) {
  TextTable table({{"tensor", Align::left},
                   {"type", Align::left},
                   {"shape", Align::left},
                   {"offset"},
                   {"bytes"},
                   {"", Align::left}});
  for (size_t i = 0; i < model.size(); ++i) {
    StoredTensor t = model.at(i);
    table.row({plain(t.name), std::string(t.type), t.shape_text(), grouped(static_cast<int64_t>(t.offset)),
               grouped(static_cast<int64_t>(t.bytes.size())), is_unsupported(it, t) ? "cannot run" : ""});
  }
  return table.text();
}

Json tensors_json(const Checkpoint& model, const Inspection& it) {
  Json list = Json::array();
  for (size_t i = 0; i < model.size(); ++i) {
    StoredTensor t = model.at(i);
    Json row = {{"name", t.name},     {"type", t.type},          {"shape", t.dimensions()},
                {"offset", t.offset}, {"bytes", t.bytes.size()}, {"computes", !is_unsupported(it, t)}};
    if (model.files().size() > 1) row["file"] = t.file->path();
    list.push_back(std::move(row));
  }
  return list;
}

std::string metadata_text(const Checkpoint& model) {
  auto* gguf = as_gguf(model);
  if (!gguf) return dynamic_cast<const HfDirectory&>(model).config().dump(2, ' ', true) + "\n";
  TextTable table({{"key", Align::left}, {"type", Align::left}, {"value", Align::left}});
  for (const auto& e : gguf->metadata().entries()) {
    std::string type(name_of(e.type));
    if (e.is_array) type = fmt::format("{}[{}]", type, grouped(static_cast<int64_t>(e.count)));
    table.row({std::string(e.key), type, gguf->metadata().show(e, 60)});
  }
  return table.text();
}

Json metadata_json(const Checkpoint& model) {
  auto* gguf = as_gguf(model);
  if (!gguf) return dynamic_cast<const HfDirectory&>(model).config();
  Json j = Json::object();
  for (const auto& e : gguf->metadata().entries()) j[std::string(e.key)] = value_json(gguf->metadata(), e);
  return j;
}

}  // namespace ridgeline
