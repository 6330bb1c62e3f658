#include "models/catalogue.h"

#include <algorithm>
#include <numeric>

namespace ridgeline {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

LlamaConfig llama3(LlamaConfig c, float stretch = 8) {  // 3.1 and later: rotary frequencies stretched from 8,192
  c.rope_base = 500000;
  c.context = 131072;
  c.rope_factors = llama3_rope_factors(c.head_dim, c.rope_base, stretch, 1, 4, 8192);
  return c;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t change = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row.back();
}

}  // namespace

const std::vector<CatalogueEntry>& catalogue() {
  static const std::vector<CatalogueEntry> entries = {
      {"llama-2-7b",
       LlamaConfig{
           .layers = 32, .dim = 4096, .heads = 32, .kv_heads = 32, .ffn = 11008, .vocab = 32000, .context = 4096}},
      {"llama-2-13b",
       LlamaConfig{
           .layers = 40, .dim = 5120, .heads = 40, .kv_heads = 40, .ffn = 13824, .vocab = 32000, .context = 4096}},
      {"llama-2-70b",
       LlamaConfig{
           .layers = 80, .dim = 8192, .heads = 64, .kv_heads = 8, .ffn = 28672, .vocab = 32000, .context = 4096}},
      {"llama-3-8b", LlamaConfig{.layers = 32,
                                 .dim = 4096,
                                 .heads = 32,
                                 .kv_heads = 8,
                                 .ffn = 14336,
                                 .vocab = 128256,
                                 .context = 8192,
                                 .rope_base = 500000}},
      {"llama-3-70b", LlamaConfig{.layers = 80,
                                  .dim = 8192,
                                  .heads = 64,
                                  .kv_heads = 8,
                                  .ffn = 28672,
                                  .vocab = 128256,
                                  .context = 8192,
                                  .rope_base = 500000}},
      {"llama-3.1-8b", llama3({.layers = 32, .dim = 4096, .heads = 32, .kv_heads = 8, .ffn = 14336, .vocab = 128256})},
      {"llama-3.1-70b", llama3({.layers = 80, .dim = 8192, .heads = 64, .kv_heads = 8, .ffn = 28672, .vocab = 128256})},
      {"llama-3.1-405b",
       llama3({.layers = 126, .dim = 16384, .heads = 128, .kv_heads = 8, .ffn = 53248, .vocab = 128256})},
      {"llama-3.2-1b",
       llama3({.layers = 16, .dim = 2048, .heads = 32, .kv_heads = 8, .ffn = 8192, .vocab = 128256, .tied = true}, 32)},
      {"llama-3.2-3b",
       llama3({.layers = 28, .dim = 3072, .heads = 24, .kv_heads = 8, .ffn = 8192, .vocab = 128256, .tied = true}, 32)},
      {"tinyllama-1.1b",
       LlamaConfig{
           .layers = 22, .dim = 2048, .heads = 32, .kv_heads = 4, .ffn = 5632, .vocab = 32000, .context = 2048}},
      {"smollm2-135m", LlamaConfig{.layers = 30,
                                   .dim = 576,
                                   .heads = 9,
                                   .kv_heads = 3,
                                   .ffn = 1536,
                                   .vocab = 49152,
                                   .context = 8192,
                                   .rope_base = 100000,
                                   .tied = true}},
      {"smollm2-360m", LlamaConfig{.layers = 32,
                                   .dim = 960,
                                   .heads = 15,
                                   .kv_heads = 5,
                                   .ffn = 2560,
                                   .vocab = 49152,
                                   .context = 8192,
                                   .rope_base = 100000,
                                   .tied = true}},
      {"smollm2-1.7b", LlamaConfig{.layers = 24,
                                   .dim = 2048,
                                   .heads = 32,
                                   .kv_heads = 32,
                                   .ffn = 8192,
                                   .vocab = 49152,
                                   .context = 8192,
                                   .rope_base = 130000,
                                   .tied = true}},
      {"mistral-7b-v0.1", LlamaConfig{.layers = 32,
                                      .dim = 4096,
                                      .heads = 32,
                                      .kv_heads = 8,
                                      .ffn = 14336,
                                      .vocab = 32000,
                                      .context = 32768,
                                      .window = 4096}},
      {"mistral-7b-v0.3", LlamaConfig{.layers = 32,
                                      .dim = 4096,
                                      .heads = 32,
                                      .kv_heads = 8,
                                      .ffn = 14336,
                                      .vocab = 32768,
                                      .context = 32768,
                                      .rope_base = 1000000}},
      {"gpt2", Gpt2Config{.layers = 12, .dim = 768, .heads = 12, .vocab = 50257, .context = 1024}},
      {"gpt2-medium", Gpt2Config{.layers = 24, .dim = 1024, .heads = 16, .vocab = 50257, .context = 1024}},
      {"gpt2-large", Gpt2Config{.layers = 36, .dim = 1280, .heads = 20, .vocab = 50257, .context = 1024}},
      {"gpt2-xl", Gpt2Config{.layers = 48, .dim = 1600, .heads = 25, .vocab = 50257, .context = 1024}},
  };
  return entries;
}

const CatalogueEntry* find_in_catalogue(std::string_view name) {
  for (const auto& e : catalogue())
    if (e.name == name) return &e;
  return nullptr;
}

const CatalogueEntry& from_catalogue(std::string_view name) {
  if (const auto* found = find_in_catalogue(name)) return *found;
  std::vector<std::pair<size_t, std::string_view>> near;
  for (const auto& e : catalogue()) near.emplace_back(edit_distance(name, e.name), e.name);
  std::stable_sort(near.begin(), near.end(), [](auto& a, auto& b) { return a.first < b.first; });
  fail(ExitCode::usage, "unknown_model", "no file and no catalogue model is called '{}'; nearest: {}, {}, {}", name,
       near[0].second, near[1].second, near[2].second);
}

Program build(std::string name, DType matrices, const ModelConfig& c) {
  return std::visit(Overloaded{[&](const LlamaConfig& l) { return llama(std::move(name), matrices, l); },
                               [&](const Gpt2Config& g) { return gpt2(std::move(name), matrices, g); }},
                    c);
}
const std::vector<TensorBinding>& gguf_bindings(const ModelConfig& c) {
  return std::holds_alternative<LlamaConfig>(c) ? llama_gguf() : gpt2_gguf();
}
std::string_view gguf_architecture(const ModelConfig& c) {
  return std::holds_alternative<LlamaConfig>(c) ? "llama" : "gpt2";
}
int64_t vocabulary_of(const ModelConfig& c) {
  return std::visit([](const auto& m) { return m.vocab; }, c);
}
int64_t context_of(const ModelConfig& c) {
  return std::visit([](const auto& m) { return m.context; }, c);
}
int layers_of(const ModelConfig& c) {
  return std::visit([](const auto& m) { return m.layers; }, c);
}
int head_dim_of(const ModelConfig& c) {
  return std::visit(
      Overloaded{[](const LlamaConfig& l) { return l.head_dim; }, [](const Gpt2Config& g) { return g.dim / g.heads; }},
      c);
}
int kv_heads_of(const ModelConfig& c) {
  return std::visit(
      Overloaded{[](const LlamaConfig& l) { return l.kv_heads; }, [](const Gpt2Config& g) { return g.heads; }}, c);
}

}  // namespace ridgeline
