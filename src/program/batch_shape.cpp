#include "program/batch_shape.h"

#include <charconv>

#include "base/error.h"
#include "base/limits.h"

namespace ridgeline {
namespace {

[[noreturn]] void refuse(std::string_view item, std::string_view why) {
  fail(ExitCode::usage, "bad_batch",
       "--batch: '{}' {}; expected [COUNTx]NEW[@CACHED], e.g. 64x1@1000,512@512 for 64 sequences with 1 new token on "
       "1,000 cached and one with 512 on 512",
       item, why);
}

int64_t number(std::string_view text, std::string_view item, int64_t least, int64_t most) {
  int64_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || error == std::errc::invalid_argument || end != text.data() + text.size())
    refuse(item, "is not made of whole numbers");
  if (error == std::errc::result_out_of_range || n < least || n > most)
    refuse(item, fmt::format("holds a number outside {}..{}", least, most));
  return n;
}

}  // namespace

BatchShape BatchShape::parse(std::string_view text) {
  BatchShape batch;
  if (text.empty()) refuse(text, "is empty");
  for (std::string_view rest = text; !rest.empty() || text.back() == ',';) {
    size_t comma = rest.find(',');
    std::string_view item = rest.substr(0, comma), part = item;
    int64_t count = 1, cached = 0;
    if (size_t x = part.find('x'); x != part.npos) {
      count = number(part.substr(0, x), item, 1, limits::batch_sequences);
      part.remove_prefix(x + 1);
    }
    if (size_t at = part.find('@'); at != part.npos) {
      cached = number(part.substr(at + 1), item, 0, limits::context);
      part = part.substr(0, at);
    }
    int64_t fresh = number(part, item, 1, limits::context);
    if (static_cast<int64_t>(batch.sequences.size()) + count > limits::batch_sequences)
      refuse(item, fmt::format("brings the batch above {} sequences", limits::batch_sequences));
    batch.sequences.insert(batch.sequences.end(), count, {fresh, cached});
    if (comma == rest.npos) break;
    rest.remove_prefix(comma + 1);
  }
  return batch;
}

std::string BatchShape::text() const {
  std::string out;
  for (size_t i = 0; i < sequences.size();) {
    size_t n = i;
    while (n < sequences.size() && sequences[n].fresh == sequences[i].fresh &&
           sequences[n].cached == sequences[i].cached)
      ++n;
    if (!out.empty()) out += ',';
    if (n - i > 1) out += fmt::format("{}x", n - i);
    out += fmt::format("{}", sequences[i].fresh);
    if (sequences[i].cached) out += fmt::format("@{}", sequences[i].cached);
    i = n;
  }
  return out;
}

BatchShape BatchShape::uncached() const {
  BatchShape whole = *this;
  for (auto& s : whole.sequences) s.fresh += s.cached, s.cached = 0;
  return whole;
}

}  // namespace ridgeline
