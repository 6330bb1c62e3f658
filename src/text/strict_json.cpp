#include "text/strict_json.h"

#include "base/error.h"
#include "base/limits.h"
#include "text/utf8.h"

namespace ridgeline {
namespace {

bool opens(JsonEvent::Kind kind) { return kind == JsonEvent::begin_object || kind == JsonEvent::begin_array; }
bool closes(JsonEvent::Kind kind) { return kind == JsonEvent::end_object || kind == JsonEvent::end_array; }

const char* encoding_of(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) return "it begins with a byte order mark";
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return "it is UTF-16 or UTF-32";
  if (text.find('\0') != std::string_view::npos) return "it holds a NUL byte, as UTF-16, UTF-32 or no text would";
  return nullptr;
}

}  // namespace

nlohmann::json StrictJson::read(std::span<const std::byte> bytes, std::string_view file) {
  file_ = file;
  if (bytes.size() > limits::json_bytes)
    fail(ExitCode::bad_data, "bad_json", "{} has {} bytes: expected at most {}", file, bytes.size(),
         limits::json_bytes);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (const char* what = encoding_of(text))
    fail(ExitCode::bad_data, "bad_json", "{}: {}; expected UTF-8 without either", file, what);
  nlohmann::json::sax_parse(text.begin(), text.end(), this);
  return std::move(root_);
}

void StrictJson::bad(const std::string& what) const {
  std::string place;
  for (const std::string& name : path_) {
    if (!name.empty()) place += (place.empty() ? "" : ".") + readable(name);
  }
  fail(ExitCode::bad_data, "bad_json", "{}{}{}: {}", file_, place.empty() ? "" : ": ", place, what);
}

bool StrictJson::number_unsigned(uint64_t value) {
  if (value > INT64_MAX) bad(fmt::format("the number {} is too large", value));
  return event({.kind = JsonEvent::integer, .number = static_cast<int64_t>(value)});
}

bool StrictJson::parse_error(size_t at, const std::string& last, const nlohmann::detail::exception&) {
  fail(ExitCode::bad_data, "bad_json", "{} is no JSON in UTF-8, or ends too early: byte {}, at \"{}\"", file_, at,
       readable(last));
}

bool StrictJson::event(const JsonEvent& e) {
  if (opens(e.kind) && ++depth_ > limits::json_depth) bad(fmt::format("it nests deeper than {}", limits::json_depth));
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
    case JsonEvent::begin_object: open(true); break;
    case JsonEvent::begin_array: open(false); break;
    case JsonEvent::end_object:
    case JsonEvent::end_array:
      open_.pop_back();
      path_.pop_back();
      break;
    case JsonEvent::key:
      path_.back() = *e.text;
      if (open_.back()->contains(*e.text)) bad("the name is there twice");
      break;
    case JsonEvent::null: put(nullptr); break;
    case JsonEvent::boolean: put(e.truth); break;
    case JsonEvent::integer: put(e.number); break;
    case JsonEvent::real: put(e.real_number); break;
    case JsonEvent::string: put(std::move(*e.text)); break;
  }
  return true;
}

void StrictJson::open(bool is_object) {
  put(is_object ? nlohmann::json::object() : nlohmann::json::array());
  nlohmann::json* container = open_.empty()               ? &root_
                              : open_.back()->is_object() ? &(*open_.back())[path_.back()]
                                                          : &open_.back()->back();
  open_.push_back(container);
  path_.emplace_back();
}

void StrictJson::put(nlohmann::json value) {
  if (++values_ > limits::json_values) bad(fmt::format("it has more than {} values", limits::json_values));
  if (open_.empty()) {
    root_ = std::move(value);
  } else if (open_.back()->is_object()) {
    (*open_.back())[path_.back()] = std::move(value);
  } else {
    open_.back()->push_back(std::move(value));
  }
}

}  // namespace ridgeline
