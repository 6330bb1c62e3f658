#include "base/byte_reader.h"

#include "base/error.h"

namespace ridgeline {

void ByteReader::ran_out(uint64_t n, std::string_view what) const {
  fail(ExitCode::bad_data, id_,
       "{}{}{} needs {} bytes at offset {}, but only {} are left.\n"
       "Likely an unfinished download or a damaged file. Fetch it again, or compare with its published sha256.",
       where_, where_.empty() ? "" : ": ", what, n, position_, left());
}

}  // namespace ridgeline
