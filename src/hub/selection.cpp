#include "hub/selection.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/printable.h"

namespace ridgeline {
namespace {

std::string lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return out;
}
bool are_digits(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "name-00002-of-00003.gguf" -> name, 2, 3; anything else: 0 of 0.
struct Part {
  std::string stem;
  size_t index = 0, count = 0;
};
Part part_of(std::string_view name, std::string_view extension) {
  constexpr size_t width = 15;  // of "-00002-of-00003"
  if (!lower(name).ends_with(extension)) return {};
  std::string_view stem = name.substr(0, name.size() - extension.size());
  if (stem.size() <= width) return {};
  std::string_view end = stem.substr(stem.size() - width);
  if (end[0] != '-' || end.substr(6, 4) != "-of-" || !are_digits(end.substr(1, 5)) || !are_digits(end.substr(10)))
    return {};
  return {std::string(stem.substr(0, stem.size() - width)), std::stoul(std::string(end.substr(1, 5))),
          std::stoul(std::string(end.substr(10)))};
}

// True where `tag` stands in the name between separators. '_' separates only before what begins as a type does, so that
// K_M is not found in Q4_K_M.
bool has_tag(const std::string& name, const std::string& tag, bool whole = true) {
  std::string in = lower(name), what = lower(tag);
  constexpr std::string_view separators = "-./";
  bool type = what.starts_with("q") || what.starts_with("iq") || what.starts_with("f") || what.starts_with("bf");
  for (size_t at = in.find(what); at != in.npos; at = in.find(what, at + 1)) {
    size_t end = at + what.size();
    bool before = at == 0 || separators.find(in[at - 1]) != separators.npos || (type && in[at - 1] == '_');
    if (before && (!whole || end == in.size() || separators.find(in[end]) != separators.npos)) return true;
  }
  return false;
}

std::string names_of(const std::vector<GgufModelFiles>& models) {
  std::string list;
  for (const auto& m : models) list += fmt::format("\n  {}", escaped(m.name()));
  return list;
}

std::vector<GgufModelFiles> with_tag(const std::vector<GgufModelFiles>& models, const std::string& tag,
                                     bool whole = true) {
  std::vector<GgufModelFiles> found;
  for (const auto& m : models)
    if (has_tag(m.name(), tag, whole)) found.push_back(m);
  return found;
}

const GgufModelFiles& chosen(const std::vector<GgufModelFiles>& models, std::vector<GgufModelFiles>& found,
                             const std::string& tag, const std::string& repository) {
  found = with_tag(models, tag.empty() ? "Q4_K_M" : tag);
  if (found.size() > 1)
    fail(ExitCode::usage, "ambiguous_tag", "'{}' fits {} models of {}; choose one with --file NAME:{}",
         tag.empty() ? "Q4_K_M" : tag, found.size(), repository, names_of(found));
  if (found.empty() && tag.empty()) found = with_tag(models, "Q4", false);
  if (!found.empty()) return found.front();
  if (tag.empty()) return models.front();
  fail(ExitCode::cannot_open, "no_such_tag", "{} has no GGUF model '{}'; there are:{}", repository, tag,
       names_of(models));
}

Selection selection_of(const GgufModelFiles& m, const std::string& repository) {
  if (!m.complete())
    fail(ExitCode::bad_data, "part_missing", "{} of {} is split into {} files, of which {} are there",
         escaped(m.name()), repository, m.expected, m.parts.size());
  return {m.parts, m.name()};
}

bool describes_a_model(std::string_view name) {
  static constexpr std::string_view names[] = {"config.json",
                                               "generation_config.json",
                                               "tokenizer.json",
                                               "tokenizer_config.json",
                                               "special_tokens_map.json",
                                               "added_tokens.json",
                                               "vocab.json",
                                               "merges.txt",
                                               "tokenizer.model",
                                               "chat_template.jinja",
                                               "chat_template.json",
                                               "model.safetensors.index.json"};
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// The weights at the top: model.safetensors or its shards; others only where there is neither (consolidated.safetensors
// beside shards holds the same weights again).
std::vector<HubFile> safetensors_of(const std::vector<HubFile>& files, const std::string& repository) {
  std::vector<HubFile> whole, shards, others;
  size_t expected = 0;
  for (const auto& f : files) {
    if (f.name.find('/') != f.name.npos || !f.name.ends_with(".safetensors")) continue;
    Part part = part_of(f.name, ".safetensors");
    if (part.stem == "model") expected = part.count;
    (f.name == "model.safetensors" ? whole : part.stem == "model" ? shards : others).push_back(f);
  }
  if (!whole.empty()) return whole;
  if (shards.size() != expected)
    fail(ExitCode::bad_data, "part_missing", "the weights of {} are split into {} files, of which {} are there",
         repository, expected, shards.size());
  return shards.empty() ? others : shards;
}

}  // namespace

int64_t GgufModelFiles::bytes() const {
  int64_t sum = 0;
  for (const auto& p : parts) {
    if (p.bytes < 0) return -1;
    sum += p.bytes;
  }
  return sum;
}

std::vector<GgufModelFiles> gguf_models(const std::vector<HubFile>& files) {
  std::map<std::string, GgufModelFiles> models;
  for (const auto& f : files) {
    std::string name = lower(f.name);
    if (!name.ends_with(".gguf") || name.find("mmproj") != name.npos || name.find("imatrix") != name.npos) continue;
    Part part = part_of(f.name, ".gguf");
    bool split = part.count > 0 && part.index >= 1 && part.index <= part.count;
    auto& m = models[split ? fmt::format("{} of {}", part.stem, part.count) : f.name];
    m.parts.push_back(f);
    m.expected = split ? part.count : 1;
  }
  std::vector<GgufModelFiles> list;
  for (auto& [key, m] : models) {
    std::sort(m.parts.begin(), m.parts.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    list.push_back(std::move(m));
  }
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.name() < b.name(); });
  return list;
}

Selection select_model(const std::vector<HubFile>& files, const std::string& tag, const std::string& repository) {
  auto models = gguf_models(files);
  if (!models.empty()) {
    std::vector<GgufModelFiles> found;
    return selection_of(chosen(models, found, tag, repository), repository);
  }
  if (!tag.empty())
    fail(ExitCode::cannot_open, "no_such_tag", "{} has no GGUF files, so nothing in it is called '{}'", repository,
         tag);
  std::vector<HubFile> weights = safetensors_of(files, repository), all;
  for (const auto& f : files)
    if (describes_a_model(f.name)) all.push_back(f);
  bool config = std::any_of(all.begin(), all.end(), [](const auto& f) { return f.name == "config.json"; });
  if (!config || weights.empty())
    fail(ExitCode::cannot_open, "no_model",
         "{} holds no model that can be read here: expected a .gguf file, or config.json "
         "and .safetensors files",
         repository);
  all.insert(all.end(), weights.begin(), weights.end());
  return {all, ""};
}

Selection select_files(const std::vector<HubFile>& files, const std::vector<std::string>& names,
                       const std::string& repository) {
  Selection s;
  auto models = gguf_models(files);
  for (const auto& name : names) {
    auto is_it = [&](const HubFile& f) { return f.name == name; };
    auto file = std::find_if(files.begin(), files.end(), is_it);
    if (file == files.end())
      fail(ExitCode::cannot_open, "no_such_file", "{} has no file '{}'; see: ridgeline pull {} --list", repository,
           escaped(name), repository);
    auto model = std::find_if(models.begin(), models.end(),
                              [&](const auto& m) { return std::any_of(m.parts.begin(), m.parts.end(), is_it); });
    Selection part = model == models.end() ? Selection{{*file}, name} : selection_of(*model, repository);
    if (s.model.empty()) s.model = part.model;
    s.files.insert(s.files.end(), part.files.begin(), part.files.end());
  }
  return s;
}

}  // namespace ridgeline
