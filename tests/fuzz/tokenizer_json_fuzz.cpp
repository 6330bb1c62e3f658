// libFuzzer target for tokenizer.json: what is refused is refused as bad data, and what is accepted encodes and decodes.
#include <cstdlib>
#include <span>
#include <string>

#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"

namespace {

using namespace ridgeline;

void check(bool ok) {
  if (!ok) std::abort();  // which libFuzzer, and ctest, take as a finding
}

void check_accepted(const Vocabulary& vocabulary) {
  const Tokenizer tokenizer(vocabulary);
  std::string all;
  for (int32_t id = 0; id < tokenizer.size() && all.size() < 4096; id++) all += tokenizer.token_text(id);
  for (const std::string& text : {all, std::string("Hello  w\xC3\xB6rld 12\n\xFF<s>")}) {
    for (SpecialTokens special : {SpecialTokens::as_text, SpecialTokens::parse}) {
      const auto ids = tokenizer.encode(text, special);
      for (int32_t id : ids) check(id >= 0 && id < tokenizer.size() && tokenizer.type(id) != TokenType::unused);
      check(is_utf8(tokenizer.decode(ids)));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    check_accepted(read_tokenizer_json(bytes));
  } catch (const Error& e) { check(e.code() == ExitCode::bad_data && !std::string_view(e.what()).empty()); }
  try {
    Vocabulary vocabulary;
    vocabulary.tokens = {"a", "<s>"};
    apply(read_tokenizer_config(bytes), vocabulary);
  } catch (const Error& e) { check(e.code() == ExitCode::bad_data); }
  return 0;
}
