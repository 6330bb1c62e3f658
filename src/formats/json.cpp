#include "formats/json.h"

#include <set>

#include "base/error.h"
#include "base/mapped_file.h"
#include "formats/file_kind.h"
#include "formats/gguf_metadata.h"

namespace ridgeline {
namespace {

[[noreturn]] void not_json(std::string_view text, const JsonSource& source, size_t position) {
  size_t at = position ? position - 1 : 0, from = at > 20 ? at - 20 : 0;
  fail(ExitCode::bad_data, source.id, "{} is not JSON: it breaks off at byte {} of {}, after {}.", source.what, at,
       text.size(), printable(text.substr(std::min(from, text.size()), at - from + 1)));
}

// The parser takes a NUL outside of texts for the end, and skips a byte order mark; neither is JSON.
void check_bytes(std::string_view text, const JsonSource& source) {
  if (text.starts_with("\xEF\xBB\xBF"))
    fail(ExitCode::bad_data, source.id, "{} begins with a byte order mark, which JSON does not have.", source.what);
  if (size_t nul = text.find('\0'); nul != text.npos) not_json(text, source, nul + 1);
}

}  // namespace

Json read_json(std::string_view text, const JsonSource& source, const JsonLimits& most) {
  auto bad = [&]<class... A>(fmt::format_string<A...> what, A&&... args) {
    fail(ExitCode::bad_data, source.id, "{} {}", source.what, fmt::format(what, std::forward<A>(args)...));
  };
  if (text.size() > most.bytes) bad("has {} bytes; expected at most {}.", text.size(), most.bytes);
  check_bytes(text, source);
  uint64_t values = 0;
  std::vector<std::set<std::string, std::less<>>> keys;  // of the objects that are open
  using E = Json::parse_event_t;
  auto on_event = [&](int depth, E event, Json& value) {
    if (++values > 2 * most.values) bad("holds more than {} values.", most.values);  // a key or an end is an event too
    if (depth > limits::json_depth) bad("is nested more than {} deep.", limits::json_depth);
    if (event == E::object_start) keys.emplace_back();
    if (event == E::object_end) keys.pop_back();
    if (event == E::key && !keys.back().insert(value.get_ref<const std::string&>()).second)
      bad("has the key {} twice; readers would not agree on its value.",
          printable(value.get_ref<const std::string&>()));
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), on_event);
  } catch (const Json::parse_error& e) { not_json(text, source, e.byte); } catch (const Json::out_of_range&) {
    bad("holds a number that is too large.");
    throw;  // not reached
  }
}

Json read_json_file(const std::string& path, const JsonSource& source, const JsonLimits& most) try {
  MappedFile file = MappedFile::open(path);
  uint64_t size = file.bytes().size();
  if (size > most.bytes)
    fail(ExitCode::bad_data, source.id, "{} has {} bytes; expected at most {}.", source.what, size, most.bytes);
  std::vector<std::byte> bytes = file.copy(0, size);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (is_lfs_pointer(bytes)) refuse_other_file(bytes, source.id.c_str(), "JSON");
  return read_json(text, source, most);
} catch (const Error& e) { throw e.loading(path); }

void JsonWalker::run() {
  check_bytes(text_, source_);
  nlohmann::json_sax<Json>* walker = this;
  Json::sax_parse(text_.begin(), text_.end(), walker);
}

bool JsonWalker::parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) {
  not_json(text_, source_, position);
}

}  // namespace ridgeline
