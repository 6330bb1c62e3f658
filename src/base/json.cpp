#include "base/json.h"

#include "base/error.h"
#include "base/printable.h"

namespace ridgeline {
namespace {

constexpr int number_overflow = 406;  // the parser's name for a number beyond the range of double

bool opens(JsonEvent::Kind kind) { return kind == JsonEvent::begin_object || kind == JsonEvent::begin_array; }
bool closes(JsonEvent::Kind kind) { return kind == JsonEvent::end_object || kind == JsonEvent::end_array; }

// The parser skips a byte order mark, and takes a NUL outside of texts for the end; neither is JSON.
void check_encoding(std::string_view text, const JsonSource& source) {
  auto bad = [&](std::string_view what) {
    fail(ExitCode::bad_data, source.id, "{} {}; expected JSON, which is UTF-8.", source.what, what);
  };
  if (text.starts_with("\xEF\xBB\xBF")) bad("begins with a byte order mark, which JSON does not have");
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) bad("begins as UTF-16 or UTF-32 do");
  if (size_t nul = text.find('\0'); nul != text.npos)
    bad(fmt::format("is not JSON: byte {} of {} is NUL, as in UTF-16 or in what is no text", nul, text.size()));
}

}  // namespace

Json read_json(std::string_view text, const JsonSource& source, const JsonLimits& most) {
  return JsonReader(source, most).read(text);
}

void JsonWalker::walk(std::string_view text) {
  text_ = text;
  check_encoding(text, source_);
  nlohmann::json_sax<Json>* walker = this;
  Json::sax_parse(text.begin(), text.end(), walker);
}

bool JsonWalker::parse_error(size_t position, const std::string&, const nlohmann::detail::exception& e) {
  const size_t at = position ? position - 1 : 0, from = std::min(at > 20 ? at - 20 : 0, text_.size());
  const std::string after = printable(text_.substr(from, at - from + 1));
  if (e.id == number_overflow)
    fail(ExitCode::bad_data, source_.id, "{} holds a number that is too large, at byte {}: {}.", source_.what, at,
         after);
  fail(ExitCode::bad_data, source_.id, "{} is not JSON: it breaks off at byte {} of {}, after {}.", source_.what, at,
       text_.size(), after);
}

Json JsonReader::read(std::string_view text) {
  if (text.size() > most_.bytes)
    fail(ExitCode::bad_data, source().id, "{} has {} bytes; expected at most {}.", source().what, text.size(),
         most_.bytes);
  walk(text);
  return std::move(root_);
}

void JsonReader::bad(std::string_view what) const {
  std::string place;
  for (const std::string& name : path_)
    if (!name.empty() && place.size() < 200) place += (place.empty() ? "" : ".") + escaped(name, 48);
  fail(ExitCode::bad_data, source().id, "{}{}{}: {}", source().what, place.empty() ? "" : ", ", place, what);
}

bool JsonReader::number_unsigned(uint64_t value) {
  if (!taken_depth_) return put(value), true;
  if (value > INT64_MAX) bad(fmt::format("the number {} is too large.", value));
  return number_integer(static_cast<int64_t>(value));
}

bool JsonReader::event(const JsonEvent& e) {
  if (opens(e.kind) && ++depth_ > limits::json_depth)
    bad(fmt::format("it is nested more than {} deep.", limits::json_depth));
  if (closes(e.kind)) depth_--;
  if (taken_depth_) {
    taken(e);
    if (closes(e.kind) && depth_ < taken_depth_) taken_depth_ = 0;
    return true;
  }
  if (opens(e.kind) && takes(path_, e.kind)) {
    put(nullptr);  // that it is there
    taken_depth_ = depth_;
    taken(e);
    return true;
  }
  switch (e.kind) {
    case JsonEvent::begin_object: open(Json::object()); break;
    case JsonEvent::begin_array: open(Json::array()); break;
    case JsonEvent::end_object:
    case JsonEvent::end_array:
      open_.pop_back();
      path_.pop_back();
      break;
    case JsonEvent::key: enter_key(*e.text); break;
    case JsonEvent::null: put(nullptr); break;
    case JsonEvent::boolean: put(e.truth); break;
    case JsonEvent::integer: put(e.number); break;
    case JsonEvent::real: put(e.real_number); break;
    case JsonEvent::string: put(std::move(*e.text)); break;
  }
  return true;
}

void JsonReader::enter_key(std::string& name) {
  path_.back().clear();
  if (open_.back()->contains(name))
    bad(fmt::format("it has the key {} twice; readers would not agree on its value.", printable(name)));
  path_.back() = std::move(name);
}

void JsonReader::open(Json container) {
  put(std::move(container));
  Json* opened = open_.empty()               ? &root_
                 : open_.back()->is_object() ? &(*open_.back())[path_.back()]
                                             : &open_.back()->back();
  open_.push_back(opened);
  path_.emplace_back();
}

void JsonReader::put(Json value) {
  if (++values_ > most_.values) bad(fmt::format("it holds more than {} values.", most_.values));
  if (open_.empty())
    root_ = std::move(value);
  else if (open_.back()->is_object())
    (*open_.back())[path_.back()] = std::move(value);
  else
    open_.back()->push_back(std::move(value));
}

}  // namespace ridgeline
