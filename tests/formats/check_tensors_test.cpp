// Row G39: weights that are no numbers are found on request, and named.
#include "formats/check_tensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "formats/gguf.h"

namespace ridgeline {
namespace {

std::string contents(const std::string& name) {
  std::ifstream in(std::string(RIDGELINE_TEST_DATA) + "/goldens/" + name + ".gguf", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
GgufFile parsed(const std::string& image) { return GgufFile::parse(std::as_bytes(std::span(image))); }

// The message for a file in which `bytes` stand at an offset into a tensor.
template <class T>
std::string fault(const std::string& name, const std::string& tensor, size_t offset, T bytes) {
  std::string image = contents(name);
  std::memcpy(image.data() + parsed(image).tensor(tensor).offset + offset, &bytes, sizeof bytes);
  try {
    check_tensors(parsed(image));
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::bad_data);
    EXPECT_EQ(e.id(), "not_finite");
    return e.what();
  }
  return "";
}

TEST(CheckTensors, SoundFilesPass) {
  for (const char* name : {"tiny_llama", "tiny_llama_f16", "tiny_llama_bf16", "tiny_llama_q8_0", "tiny_llama_q4_0",
                           "tiny_llama_q4_1", "tiny_gpt2"})
    check_tensors(parsed(contents(name)));
}

TEST(CheckTensors, ANanInANormIsNamed) {
  std::string what = fault("tiny_llama", "blk.1.ffn_norm.weight", 5 * 4, std::nanf(""));
  EXPECT_NE(what.find("blk.1.ffn_norm.weight"), what.npos) << what;
  EXPECT_NE(what.find("row 0, element 5 is nan"), what.npos) << what;
}

TEST(CheckTensors, AnInfiniteScaleIsNamedByItsBlock) {
  constexpr uint16_t infinity = 0x7c00;
  std::string what = fault("tiny_llama_q8_0", "blk.0.attn_q.weight", (3 * 2 + 1) * 34, infinity);  // rows of two blocks
  EXPECT_NE(what.find("row 3, block 1"), what.npos) << what;
  what = fault("tiny_llama_q4_1", "blk.0.attn_q.weight", 2, infinity);  // the minimum of the first
  EXPECT_NE(what.find("row 0, block 0"), what.npos) << what;
  EXPECT_NE(fault("tiny_llama_bf16", "output.weight", 0, uint16_t{0xff80}), "");
}

}  // namespace
}  // namespace ridgeline
