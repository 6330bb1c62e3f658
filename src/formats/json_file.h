// Files of JSON: those beside weights, and a saved conversation. For this folder and `cli`.
#pragma once
#include <string>

#include "base/json.h"

namespace ridgeline {

// The value in a file. Errors: those of read_json and MappedFile::open, and bad_data "lfs_pointer", naming the file.
Json read_json_file(const std::string& path, const JsonSource&, const JsonLimits& = {});

}  // namespace ridgeline
