#include "hub/reference.h"

#include <algorithm>

namespace ridgeline {
namespace {

constexpr size_t most_characters = 96;  // of either part of a repository's name, as on the hub

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}
// One part of a repository's name: the hub's rule. "--" would be ambiguous in the cache.
bool is_name(std::string_view s) {
  auto edge = [](char c) { return c == '-' || c == '.'; };
  return !s.empty() && s.size() <= most_characters && std::all_of(s.begin(), s.end(), is_plain) && !edge(s.front()) &&
         !edge(s.back()) && s.find("--") == s.npos && s.find("..") == s.npos;
}
bool is_tag(std::string_view s) {
  return !s.empty() && s.size() <= most_characters && std::all_of(s.begin(), s.end(), is_plain);
}
bool names_a_file(std::string_view s) { return s.ends_with(".gguf") || s.ends_with(".safetensors"); }

// Cuts ":TAG" off the end.
std::optional<std::string> take_tag(std::string_view& text) {
  size_t colon = text.find(':');
  if (colon == text.npos) return "";
  std::string tag(text.substr(colon + 1));
  text = text.substr(0, colon);
  if (!is_tag(tag)) return {};
  return tag;
}

}  // namespace

std::optional<HubReference> parse_hub_reference(std::string_view text) {
  for (std::string_view prefix : {"https://huggingface.co/", "https://hf.co/", "huggingface.co/", "hf.co/"})
    if (text.starts_with(prefix)) {
      text.remove_prefix(prefix.size());
      break;
    }
  auto tag = take_tag(text);
  size_t slash = text.find('/');
  if (!tag || slash == text.npos || names_a_file(text)) return {};
  if (!is_name(text.substr(0, slash)) || !is_name(text.substr(slash + 1))) return {};
  return HubReference{std::string(text), *tag};
}

// The makers' own repositories where they publish files that run here and ask for no agreement first; else a well-known copy.
// Whether they are still there only the network can tell.
const std::vector<PublishedModel>& published_models() {
  static const std::vector<PublishedModel> models = {
      {"gemma-3-270m", "unsloth/gemma-3-270m-it-GGUF"},
      {"gemma-3-1b", "ggml-org/gemma-3-1b-it-GGUF"},
      {"gemma-3-4b", "ggml-org/gemma-3-4b-it-GGUF"},
      {"gemma-3-12b", "ggml-org/gemma-3-12b-it-GGUF"},
      {"gemma-3-27b", "ggml-org/gemma-3-27b-it-GGUF"},
      {"gpt2", "openai-community/gpt2"},
      {"gpt2-medium", "openai-community/gpt2-medium"},
      {"gpt2-large", "openai-community/gpt2-large"},
      {"gpt2-xl", "openai-community/gpt2-xl"},
      {"llama-2-7b", "TheBloke/Llama-2-7B-Chat-GGUF"},
      {"llama-2-13b", "TheBloke/Llama-2-13B-chat-GGUF"},
      {"llama-3-8b", "QuantFactory/Meta-Llama-3-8B-Instruct-GGUF"},
      {"llama-3.1-8b", "bartowski/Meta-Llama-3.1-8B-Instruct-GGUF"},
      {"llama-3.2-1b", "bartowski/Llama-3.2-1B-Instruct-GGUF"},
      {"llama-3.2-3b", "bartowski/Llama-3.2-3B-Instruct-GGUF"},
      {"mistral-7b-v0.1", "TheBloke/Mistral-7B-Instruct-v0.1-GGUF"},
      {"mistral-7b-v0.3", "bartowski/Mistral-7B-Instruct-v0.3-GGUF"},
      {"qwen2.5-0.5b", "Qwen/Qwen2.5-0.5B-Instruct-GGUF"},
      {"qwen2.5-1.5b", "Qwen/Qwen2.5-1.5B-Instruct-GGUF"},
      {"qwen2.5-3b", "Qwen/Qwen2.5-3B-Instruct-GGUF"},
      {"qwen2.5-7b", "Qwen/Qwen2.5-7B-Instruct-GGUF"},
      {"qwen2.5-14b", "Qwen/Qwen2.5-14B-Instruct-GGUF"},
      {"qwen2.5-32b", "Qwen/Qwen2.5-32B-Instruct-GGUF"},
      {"qwen2.5-72b", "Qwen/Qwen2.5-72B-Instruct-GGUF"},
      {"qwen3-0.6b", "Qwen/Qwen3-0.6B-GGUF"},
      {"qwen3-1.7b", "Qwen/Qwen3-1.7B-GGUF"},
      {"qwen3-4b", "Qwen/Qwen3-4B-GGUF"},
      {"qwen3-8b", "Qwen/Qwen3-8B-GGUF"},
      {"qwen3-14b", "Qwen/Qwen3-14B-GGUF"},
      {"qwen3-32b", "Qwen/Qwen3-32B-GGUF"},
      {"smollm2-135m", "HuggingFaceTB/SmolLM2-135M-Instruct"},
      {"smollm2-360m", "HuggingFaceTB/SmolLM2-360M-Instruct"},
      {"smollm2-1.7b", "HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF"},
      {"tinyllama-1.1b", "TheBloke/TinyLlama-1.1B-Chat-v1.0-GGUF"},
  };
  return models;
}

std::optional<HubReference> find_hub_reference(std::string_view text) {
  std::string_view name = text;
  if (auto tag = take_tag(name))
    for (const auto& m : published_models())
      if (m.name == name) return HubReference{std::string(m.repository), *tag};
  return parse_hub_reference(text);
}

}  // namespace ridgeline
