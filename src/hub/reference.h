// What people call a model of the hub: USER/REPO[:QUANT], as llama.cpp's -hf has it; and the short names known here.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline {

struct HubReference {
  std::string repository;  // "user/name", of the characters the hub allows: nothing that could leave a folder
  std::string tag;         // which quantization, e.g. "Q4_K_M"; empty: none was asked for
  std::string text() const { return tag.empty() ? repository : repository + ":" + tag; }
};

// Also with "hf.co/" or "https://huggingface.co/" before it. Nothing where the text is not of that shape; a text that ends in
// .gguf or .safetensors is a path.
std::optional<HubReference> parse_hub_reference(std::string_view text);

// Repositories that hold the weights of a shape of the catalogue.
struct PublishedModel {
  std::string_view name, repository;
};
const std::vector<PublishedModel>& published_models();
// A name of that list, or what parse_hub_reference takes. Both may end in ":QUANT".
std::optional<HubReference> find_hub_reference(std::string_view text);

}  // namespace ridgeline
