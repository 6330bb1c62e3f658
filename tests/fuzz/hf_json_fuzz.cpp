// libFuzzer target for the JSON of Hugging Face directories: a text is read as config.json, as the index of shards and as
// generation_config.json. Each is refused as bad data, or gives what holds the limits; what is JSON is the same when it is
// written and read again.
#include <cstdlib>
#include <span>

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "formats/hf_directory.h"

namespace {

using namespace ridgeline;

void check(bool ok) {
  if (!ok) std::abort();  // which libFuzzer, and ctest, take as a finding
}

template <class F>
void accepted_or_bad_data(F f) {
  try {
    f();
  } catch (const Error& e) { check(e.code() == ExitCode::bad_data && !std::string_view(e.what()).empty()); }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const JsonSource source{"config_json", "the text"};
  Json json;
  try {
    json = read_json(text, source, {.bytes = 1 << 16, .values = 4096});
  } catch (const Error& e) {
    check(e.code() == ExitCode::bad_data && e.id() == source.id);
    return 0;
  }
  check(read_json(json.dump(), source) == json);
  accepted_or_bad_data([&] {
    ModelConfig config = read_hf_config(json);
    check(layers_of(config) >= 1 && layers_of(config) <= limits::layers);
    check(vocabulary_of(config) >= 1 && vocabulary_of(config) <= limits::vocabulary);
    check(head_dim_of(config) >= 1 && head_dim_of(config) <= limits::head_dim);
  });
  accepted_or_bad_data([&] {
    for (const auto& [name, number] : read_shard_names(json))
      check(!name.empty() && name[0] != '.' && name.find_first_of("/\\\n") == name.npos);
  });
  accepted_or_bad_data([&] {
    for (int32_t id : read_generation_config(json).eos) check(id >= 0 && id < limits::vocabulary);
  });
  return 0;
}
