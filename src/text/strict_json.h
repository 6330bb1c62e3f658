// JSON (RFC 8259) from outside, read strictly and within bounds. Private to this folder.
#pragma once
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline {

// What is found on the way through a document.
struct JsonEvent {
  enum Kind { begin_object, end_object, begin_array, end_array, key, null, boolean, integer, real, string } kind;
  bool truth = false;
  int64_t number = 0;
  double real_number = 0;
  std::string* text = nullptr;  // of a key or a string: may be moved from
};

// Reads a document into a tree. A large part of it may be taken instead as it comes, by a class that derives.
// Throws bad_data "bad_json", saying where, for what is no JSON in UTF-8 (a byte order mark, UTF-16, a lone surrogate, a
// truncated end), a name that is twice in an object, an integer beyond 64 bits, nesting beyond limits::json_depth, more
// than limits::json_bytes or, outside of what is taken, limits::json_values.
class StrictJson : private nlohmann::json_sax<nlohmann::json> {
 public:
  nlohmann::json read(std::span<const std::byte> bytes, std::string_view file);

  // What the parser calls.
  bool null() override { return event({.kind = JsonEvent::null}); }
  bool boolean(bool value) override { return event({.kind = JsonEvent::boolean, .truth = value}); }
  bool number_integer(int64_t value) override { return event({.kind = JsonEvent::integer, .number = value}); }
  bool number_unsigned(uint64_t value) override;
  bool number_float(double value, const std::string&) override {
    return event({.kind = JsonEvent::real, .real_number = value});
  }
  bool string(std::string& text) override { return event({.kind = JsonEvent::string, .text = &text}); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(size_t) override { return event({.kind = JsonEvent::begin_object}); }
  bool key(std::string& text) override { return event({.kind = JsonEvent::key, .text = &text}); }
  bool end_object() override { return event({.kind = JsonEvent::end_object}); }
  bool start_array(size_t) override { return event({.kind = JsonEvent::begin_array}); }
  bool end_array() override { return event({.kind = JsonEvent::end_array}); }
  bool parse_error(size_t at, const std::string& last, const nlohmann::detail::exception& e) override;

 protected:
  // Whether the value of this path, which begins with `kind`, is taken: then all its events come here, and no tree is made.
  virtual bool takes(const std::vector<std::string>&, JsonEvent::Kind) { return false; }
  virtual void taken(const JsonEvent&) {}

  [[noreturn]] void bad(const std::string& what) const;  // at the place that is being read

 private:
  bool event(const JsonEvent& e);
  void open(bool is_object);
  void put(nlohmann::json value);

  std::string file_;
  nlohmann::json root_;
  std::vector<nlohmann::json*> open_;  // the containers around what comes next
  std::vector<std::string> path_;      // their names, and that of what comes next; empty for an element of an array
  size_t depth_ = 0, taken_depth_ = 0;
  uint64_t values_ = 0;
};

}  // namespace ridgeline
