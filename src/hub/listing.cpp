#include "hub/listing.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/printable.h"

namespace ridgeline {
namespace {

[[noreturn]] void bad(std::string_view what) {
  fail(ExitCode::bad_data, "hub_listing", "the hub's list of files cannot be used: {}", what);
}

std::string text_of(const Json& entry, const char* key) {
  auto at = entry.find(key);
  if (at == entry.end() || at->is_null()) return {};
  if (!at->is_string()) bad(fmt::format("'{}' is no text", key));
  return at->get<std::string>();
}
int64_t bytes_of(const Json& entry) {
  auto at = entry.find("size");
  if (at == entry.end() || at->is_null()) return -1;
  if (!at->is_number_unsigned() || at->get<uint64_t>() > uint64_t{INT64_MAX}) bad("a 'size' is no number of bytes");
  return at->get<int64_t>();
}

bool is_hex(std::string_view s, size_t digits) {
  return s.size() == digits &&
         std::all_of(s.begin(), s.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

HubFile file_of(const Json& entry) {
  HubFile file{text_of(entry, "path"), bytes_of(entry), text_of(entry, "oid")};
  if (auto fault = fault_of_path(file.name); !fault.empty())
    fail(ExitCode::bad_data, "unsafe_path", "the repository names a file '{}', which {}; nothing was fetched",
         escaped(file.name), fault);
  if (auto lfs = entry.find("lfs"); lfs != entry.end() && lfs->is_object()) {  // then the rest describes a pointer
    file.etag = text_of(*lfs, "oid");
    if (file.etag.starts_with("sha256:")) file.etag.erase(0, 7);
    if (int64_t bytes = bytes_of(*lfs); bytes >= 0) file.bytes = bytes;
    if (!is_hex(file.etag, 64)) bad(fmt::format("the SHA-256 of {} is {}", escaped(file.name), escaped(file.etag)));
  } else if (!is_hex(file.etag, 40)) {
    file.etag.clear();  // asked for with the file itself
  }
  return file;
}

}  // namespace

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && name[0] != '.' && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

std::string_view fault_of_path(std::string_view path) {
  if (path.empty() || path.size() > limits::hub_name_bytes) return "is empty or too long";
  if (path.find('\0') != path.npos) return "holds a NUL";
  if (path.starts_with('/')) return "is absolute";
  for (;;) {
    size_t slash = path.find('/');
    std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return "has a part that is '.', '..' or empty";
    if (part.size() > 255) return "has a part of more than 255 bytes";
    if (slash == path.npos) return {};
    path.remove_prefix(slash + 1);
  }
}

std::vector<HubFile> parse_listing(std::string_view text) {
  const Json page = read_json(text, {"hub_listing", "the hub's list of files"},
                              {.bytes = limits::hub_listing_bytes, .values = limits::hub_listing_values});
  if (!page.is_array()) bad("it is no array");
  std::vector<HubFile> files;
  for (const Json& entry : page) {
    if (!entry.is_object()) bad("an entry is no object");
    if (std::string type = text_of(entry, "type"); !type.empty() && type != "file") continue;  // a directory
    files.push_back(file_of(entry));
  }
  return files;
}

std::string next_page(std::string_view link) {
  while (!link.empty()) {
    size_t open = link.find('<'), close = link.find('>');
    if (open == link.npos || close == link.npos || close < open) return {};
    std::string_view url = link.substr(open + 1, close - open - 1), parameters = link.substr(close + 1);
    size_t end = std::min(parameters.find(",<"), parameters.find(", <"));
    std::string_view mine = parameters.substr(0, end);
    if (mine.find("rel=\"next\"") != mine.npos || mine.find("rel=next") != mine.npos) return std::string(url);
    if (end == parameters.npos) return {};
    link = parameters.substr(end + 1);
  }
  return {};
}

std::string plain_etag(std::string_view header) {
  if (header.starts_with("W/")) header.remove_prefix(2);
  if (header.size() >= 2 && header.starts_with('"') && header.ends_with('"'))
    header = header.substr(1, header.size() - 2);
  if (!is_plain_name(header))
    fail(ExitCode::bad_data, "hub_etag", "the hub names a file's content '{}', which cannot be a name",
         escaped(header));
  return std::string(header);
}

}  // namespace ridgeline
