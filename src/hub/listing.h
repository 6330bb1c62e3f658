// What a repository holds, as GET /api/models/REPO/tree/REVISION?recursive=true lists it. Nothing in an answer is trusted.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline {

struct HubFile {
  std::string name;    // with folders: "Q4_K_M/model-00001-of-00002.gguf"; never one that could leave its folder
  int64_t bytes = -1;  // -1: not said
  // What the cache calls its content. 64 hexadecimal digits: its SHA-256 (large files); 40: git's name of it. Empty: not said.
  std::string etag;
};

// One page. Throws Error (bad_data): not JSON of that shape, or a name that is absolute, has a part "..", or is no name.
std::vector<HubFile> parse_listing(std::string_view json);

// The address of the next page in a Link header (RFC 8288), rel="next"; empty: this was the last.
std::string next_page(std::string_view link);

// The value of an ETag header without W/ and quotes. Throws Error (bad_data) where it could not be the name of a file.
std::string plain_etag(std::string_view header);

// True for what may name one file: letters, digits, '-', '_' and '.', and no dot first.
bool is_plain_name(std::string_view name);
// Why a path does not lie below the folder it would be put in, "is absolute"; empty: it does.
std::string_view fault_of_path(std::string_view path);

}  // namespace ridgeline
