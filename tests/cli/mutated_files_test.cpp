// Damaged files given to the built program: it ends by itself, with an exit status that docs/reliability.md names, and what it
// writes is fit for a terminal. (tests/instance/mutated_files_test.cpp looks at many more in process.)
#include <gtest/gtest.h>

#include "base/mutation.h"
#include "base/scratch_folder.h"
#include "base/utf8.h"
#include "cli/process.h"
#include "formats/gguf.h"
#include "formats/tokenizer_image.h"
#include "goldens.h"

namespace ridgeline {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t files_of_a_kind = 25;

// Whether it answered.
bool ends_as_promised(const std::vector<std::string>& line) {
  auto f = run_ridgeline(line, {.seconds = 20});
  // 70 is what logits that are no numbers end in.
  const bool is_number_fault = f.status == 70 && f.err.find("not a number") != f.err.npos;
  EXPECT_TRUE(f.status == 0 || f.status == 65 || f.status == 69 || is_number_fault) << f.status << "\n" << f.err;
  EXPECT_EQ(f.status == 0, f.err.empty() || f.err.find("ridgeline:") == f.err.npos) << f.err;
  EXPECT_TRUE(is_utf8(f.err)) << f.err;
  EXPECT_EQ(f.err.find('\x1b'), f.err.npos) << f.err;
  return f.status == 0;
}

// Counts those that answer, beside which there must be refusals.
class Mutated : public testing::Test {
 protected:
  void look_at(const std::string& path) {
    all++;
    ends_as_promised({"inspect", path, "--metadata"});
    answered += ends_as_promised({"run", path, "the tin", "-n", "1", "-q", "-t", "1", "-c", "64"});
  }
  void TearDown() override {
    EXPECT_GT(answered, 0u);
    EXPECT_LT(answered, all);
  }
  ScratchFolder folder;
  uint32_t all = 0, answered = 0;
};

TEST_F(Mutated, Gguf) {
  const std::string golden = golden_path("tiny_llama_q4_0"), whole = content_of(golden);
  const size_t header = GgufFile::open(golden).data_begin();
  look_at(golden);
  for (uint32_t i = 0; i < files_of_a_kind; i++) {
    SCOPED_TRACE(i);
    look_at(folder.write("m.gguf", Mutator(i).bytes(whole, header)));
  }
}

TEST_F(Mutated, FilesOfADirectory) {
  for (const char* name : {"config.json", "model.safetensors"})
    fs::copy(golden_directory("tiny_llama3") + "/" + name, folder / name);
  folder.write("tokenizer.json", tokenizer_image().dump());
  folder.write("tokenizer_config.json",
               R"({"eos_token":"<|endoftext|>","chat_template":"{% for m in messages %}{{ m.content }}{% endfor %}"})");
  folder.write("generation_config.json", R"({"temperature":0.7,"top_p":0.9,"eos_token_id":[0,1]})");
  look_at(folder.path());
  for (const char* name :
       {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "generation_config.json"}) {
    const std::string whole = content_of(folder / name);
    for (uint32_t i = 0; i < files_of_a_kind; i++) {
      SCOPED_TRACE(std::string(name) + " " + std::to_string(i));
      const bool is_weights = name == std::string("model.safetensors");
      folder.write(name, is_weights ? Mutator(i).bytes(whole, 2048) : Mutator(i).text(whole));
      look_at(folder.path());
    }
    folder.write(name, whole);
  }
}

}  // namespace
}  // namespace ridgeline
