#include "sampling/logit_bias.h"

#include <charconv>
#include <limits>

#include "base/error.h"
#include "base/printable.h"

namespace ridgeline {
namespace {

// All of the text as a number, in the same notation everywhere; false: it is none.
template <class T>
bool read_number(std::string_view text, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

LogitBias read_logit_bias(std::string_view text) {
  auto refuse = [&](std::string_view why) {
    fail(ExitCode::usage, "bad_sampling",
         "--logit-bias '{}' {}: expected a token's id and what is added to its logit, such as 15043+1, 15043-2.5 or "
         "15043-inf (never)",
         escaped(text, 48), why);
  };
  LogitBias b;
  size_t sign = text.find_first_not_of("0123456789");
  if (sign == text.npos || !read_number(text.substr(0, sign), b.token)) refuse("names no token");
  std::string_view value = text.substr(sign);
  if (value[0] == '=' || value[0] == '+') value.remove_prefix(1);
  if (value == "ban" || value == "-inf") return b.bias = -std::numeric_limits<float>::infinity(), b;
  if (value.find_first_not_of("0123456789.eE+-") != value.npos || !read_number(value, b.bias)) refuse("has no number");
  if (!(b.bias >= -100 && b.bias <= 100)) refuse("is not within -100 to 100");
  return b;
}

std::string text_of(const LogitBias& b) {
  if (b.bias < std::numeric_limits<float>::lowest()) return fmt::format("{}-inf", b.token);
  return fmt::format("{}{:+}", b.token, b.bias);
}

}  // namespace ridgeline
