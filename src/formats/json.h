// JSON from outside, read strictly (RFC 8259): one value, in UTF-8 without a byte order mark, no key twice in an object, its
// size and nesting bounded. For this folder, `instance` and `cli`.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

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
// there twice; beyond a limit.
Json read_json(std::string_view text, const JsonSource&, const JsonLimits& = {});
// The same of a file; also the errors of MappedFile::open, and "lfs_pointer".
Json read_json_file(const std::string& path, const JsonSource&, const JsonLimits& = {});

// A walk through a text event by event, for one too large to keep: derived classes take the events they expect. Duplicate keys
// and limits are their affair.
class JsonWalker : public nlohmann::json_sax<Json> {
 public:
  JsonWalker(std::string_view text, JsonSource source) : text_(text), source_(std::move(source)) {}
  void run();  // errors: as above, and those of the derived class

 protected:
  const JsonSource& source() const { return source_; }

 private:
  bool binary(binary_t&) final { return false; }  // JSON has none
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) final;
  std::string_view text_;
  JsonSource source_;
};

}  // namespace ridgeline
