// What people hand over in place of a model file, told by its first bytes. Private to this folder.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace ridgeline {

// The text that stands in for a large file in a git repository whose files were not fetched.
bool is_lfs_pointer(std::span<const std::byte> begin);

// Refuses a file that begins so: bad_data "lfs_pointer", or `id` with what the file seems to be and what to do. expected: "a GGUF file, which begins with \"GGUF\"".
[[noreturn]] void refuse_other_file(std::span<const std::byte> begin, const char* id, std::string_view expected);

}  // namespace ridgeline
