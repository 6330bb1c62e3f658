#include "formats/json_file.h"

#include "base/error.h"
#include "base/mapped_file.h"
#include "formats/file_kind.h"

namespace ridgeline {

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

}  // namespace ridgeline
