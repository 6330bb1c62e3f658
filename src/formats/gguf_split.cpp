// Models split into several GGUF files, as llama.cpp's gguf-split writes them: each part is a GGUF file of its own, with the
// keys split.no (from 0 on), split.count and split.tensors.count (of all parts); the first has the model's metadata.
#include <fmt/format.h>

#include <filesystem>

#include "base/error.h"
#include "base/limits.h"
#include "formats/gguf.h"

namespace ridgeline {
namespace {

template <class... A>
[[noreturn]] void bad(fmt::format_string<A...> text, A&&... args) {
  fail(ExitCode::bad_data, "gguf_split", text, std::forward<A>(args)...);
}

std::string ending(int64_t number, int64_t count) { return fmt::format("-{:05}-of-{:05}.gguf", number + 1, count); }

struct Split {
  int64_t number, count;
  std::optional<int64_t> tensors;
};
// What a file says of the split it belongs to; none: it is whole.
std::optional<Split> split_of(const GgufFile& file) {
  const GgufMetadata& m = file.metadata();
  auto count = m.find<int64_t>("split.count");
  if (!count) return {};
  Split s{m.find<int64_t>("split.no").value_or(0), *count, m.find<int64_t>("split.tensors.count")};
  if (s.count < 1 || s.count > static_cast<int64_t>(limits::shards))
    bad("split.count is {}; expected 1 to {} parts.", s.count, limits::shards);
  if (s.number < 0 || s.number >= s.count)
    bad("split.no is {}, but there are {} parts; expected 0 to {}.", s.number, s.count, s.count - 1);
  if (s.count == 1) return {};
  return s;
}

}  // namespace

void GgufFile::join_parts(const std::string& path) {
  auto split = split_of(*this);
  if (!split) return;
  std::string end = ending(split->number, split->count);
  if (!path.ends_with(end))
    bad("the file is part {} of a model split into {}, and parts find each other by their names.\n"
        "Expected a name that ends with {}: give the parts their names back, or merge them into one file.",
        split->number + 1, split->count, end);
  std::string stem = path.substr(0, path.size() - end.size());
  if (split->number != 0)
    bad("the file is part {} of a model split into {}.\nOpen the first part, which brings the others: {}",
        split->number + 1, split->count, stem + ending(0, split->count));

  auto architecture = metadata_.find<std::string>("general.architecture");
  for (int64_t i = 1; i < split->count; ++i) {
    std::string name = stem + ending(i, split->count);
    if (!std::filesystem::exists(name))
      bad("part {} of {} is missing.\nExpected it beside the first: {}", i + 1, split->count, name);
    GgufFile part = open_one(name);
    auto found = part.metadata_.has("split.count") ? split_of(part) : std::nullopt;
    if (!found || found->number != i || found->count != split->count)
      bad("{} does not belong here: by its metadata it is {}; expected part {} of {}.", name,
          found ? fmt::format("part {} of {}", found->number + 1, found->count) : "a whole model", i + 1, split->count);
    auto other = part.metadata_.find<std::string>("general.architecture");
    if (found->tensors != split->tensors || (other && other != architecture))
      bad("{} belongs to another model: its {} differs from that of the first part.", name,
          found->tensors != split->tensors ? "split.tensors.count" : "general.architecture");
    join(std::move(part));
  }
  if (split->tensors && *split->tensors != static_cast<int64_t>(tensors_.size()))
    bad("the {} parts hold {} tensors; split.tensors.count says {}.", split->count, tensors_.size(), *split->tensors);
}

}  // namespace ridgeline
