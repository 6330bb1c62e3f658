// JSON from outside, read strictly (RFC 8259): one value, in UTF-8 without a byte order mark, no key twice in an object, its
// size, its nesting and the number of its values bounded. Nothing recurses over the text.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"

namespace ridgeline {

using Json = nlohmann::json;

// For messages: the id of an Error, and what is being read: {"config_json", "config.json"}.
struct JsonSource {
  std::string id, what;
};

struct JsonLimits {
  uint64_t bytes = limits::config_bytes;
  uint64_t values = limits::config_values;  // numbers, texts, lists ... in all
};

// The value of a text. Errors (bad_data, with the source's id): not JSON, naming the byte where it breaks off; a key that is
// there twice; a number too large for its type; beyond a limit.
Json read_json(std::string_view text, const JsonSource&, const JsonLimits& = {});

// A walk through a text event by event, for one too large to keep: derived classes take the events they expect. Duplicate keys
// and limits are their affair.
class JsonWalker : public nlohmann::json_sax<Json> {
 protected:
  explicit JsonWalker(JsonSource source) : source_(std::move(source)) {}
  void walk(std::string_view text);  // errors: not JSON, as above, and those of the derived class
  const JsonSource& source() const { return source_; }

 private:
  bool binary(binary_t&) final { return false; }  // JSON has none
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) final;

  std::string_view text_;
  JsonSource source_;
};

// What is found on the way through a part of a text.
struct JsonEvent {
  enum Kind { begin_object, end_object, begin_array, end_array, key, null, boolean, integer, real, string } kind;
  bool truth = false;
  int64_t number = 0;
  double real_number = 0;
  std::string* text = nullptr;  // of a key or a string: may be moved from
};

// Reads a text into a tree, as read_json does, but for large parts of it: a class that derives takes them event by event.
class JsonReader : private JsonWalker {
 public:
  explicit JsonReader(JsonSource source, const JsonLimits& most = {}) : JsonWalker(std::move(source)), most_(most) {}
  Json read(std::string_view text);  // errors: as read_json's, and those of the derived class

 protected:
  // Whether the value of this path, which begins with `kind`, is taken: then all its events go to taken(), and the tree has
  // null in its place. Duplicate keys and counts within are the derived class's affair.
  virtual bool takes(const std::vector<std::string>&, JsonEvent::Kind) { return false; }
  virtual void taken(const JsonEvent&) {}

  [[noreturn]] void bad(
      std::string_view what) const;  // "config.json, a.b: ", and a sentence about what is being read there

 private:
  bool null() override { return event({.kind = JsonEvent::null}); }
  bool boolean(bool value) override { return event({.kind = JsonEvent::boolean, .truth = value}); }
  bool number_integer(int64_t value) override { return event({.kind = JsonEvent::integer, .number = value}); }
  bool number_unsigned(uint64_t value) override;
  bool number_float(double value, const std::string&) override {
    return event({.kind = JsonEvent::real, .real_number = value});
  }
  bool string(std::string& text) override { return event({.kind = JsonEvent::string, .text = &text}); }
  bool start_object(size_t) override { return event({.kind = JsonEvent::begin_object}); }
  bool key(std::string& text) override { return event({.kind = JsonEvent::key, .text = &text}); }
  bool end_object() override { return event({.kind = JsonEvent::end_object}); }
  bool start_array(size_t) override { return event({.kind = JsonEvent::begin_array}); }
  bool end_array() override { return event({.kind = JsonEvent::end_array}); }

  bool event(const JsonEvent&);
  void enter_key(std::string& name);
  void open(Json container);
  void put(Json value);

  JsonLimits most_;
  Json root_;
  std::vector<Json*> open_;        // the containers around what comes next
  std::vector<std::string> path_;  // their names, and that of what comes next; empty for an element of a list
  int depth_ = 0, taken_depth_ = 0;
  uint64_t values_ = 0;
};

}  // namespace ridgeline
