// Which files of a repository make a model.
#pragma once
#include <string>
#include <vector>

#include "hub/listing.h"

namespace ridgeline {

// A GGUF model of a repository: one file, or all parts of a split one ("-00001-of-00003.gguf").
struct GgufModelFiles {
  std::vector<HubFile> parts;  // in order
  size_t expected = 1;         // parts there should be
  const std::string& name() const { return parts.front().name; }
  bool complete() const { return parts.size() == expected; }
  int64_t bytes() const;  // -1: not known
};
// In order of their names; projectors of images (mmproj) and importance matrices are no models.
std::vector<GgufModelFiles> gguf_models(const std::vector<HubFile>& files);

struct Selection {
  std::vector<HubFile> files;
  std::string model;  // what is opened: the first of the GGUF files; empty: the folder, of safetensors
};

// GGUF, as llama.cpp chooses: the model whose name holds the tag, in any case, between separators; without a tag the Q4_K_M
// one, else the first Q4 one, else the first. A repository without GGUF: config.json, tokenizer files, safetensors with their
// index. Throws Error: (cannot_open) where there is no such model, (usage, "ambiguous_tag") where the tag fits several, with a
// list of what there is; (bad_data) where a part of a split model is missing.
Selection select_model(const std::vector<HubFile>& files, const std::string& tag, const std::string& repository);

// The files called so, and the other parts of a split GGUF model. Throws Error (cannot_open) for a name that is not there.
Selection select_files(const std::vector<HubFile>& files, const std::vector<std::string>& names,
                       const std::string& repository);

}  // namespace ridgeline
