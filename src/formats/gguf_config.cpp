// From a GGUF file's metadata to a family's config.
#include "base/error.h"
#include "base/printable.h"
#include "formats/gguf.h"
#include "formats/gguf_fields.h"

namespace ridgeline {
namespace {

const Family& family_of(std::string_view architecture, bool named) {
  std::vector<std::string_view> known;
  for (const Family* family : families()) {
    if (family->architecture == architecture) return *family;
    known.push_back(family->architecture);
  }
  fail(ExitCode::bad_data, "unsupported_arch", "general.architecture is {}; expected one of: {}.",
       named ? printable(architecture) : "missing", fmt::join(known, ", "));
}

}  // namespace

std::string GgufFile::architecture() const {
  auto* entry = metadata_.find_entry("general.architecture");
  bool is_text = entry && !entry->is_array && entry->type == GgufType::string;
  return is_text ? metadata_.get<std::string>(entry->key) : std::string();
}

ModelDescription GgufFile::describe() const {
  std::string arch = metadata_.find<std::string>("general.architecture").value_or("");
  const Family& family = family_of(arch, metadata_.has("general.architecture"));
  if (auto kind = metadata_.find<std::string>("general.type"); kind && *kind != "model")
    fail(ExitCode::bad_data, "unsupported_model", "the file holds {}, by general.type; expected a model.",
         printable(*kind));

  if (auto parts = metadata_.find<int64_t>("split.count").value_or(1); parts != static_cast<int64_t>(parts_.size()))
    fail(ExitCode::bad_data, "gguf_split", "the file is one of {} parts, which are opened by the path of the first.",
         parts);

  GgufReadFields fields(*this, arch);
  ModelDescription model;
  model.name = plain_name(metadata_.find<std::string>("general.name").value_or(arch));
  model.config = family.read(fields);
  if (auto left = fields.left(); !left.empty())
    model.warnings.push_back(fmt::format("metadata keys that are not known here are ignored: {}", few(left)));
  check_weights(model);
  return model;
}

}  // namespace ridgeline
