// Split models, by row G40 of the bad-input catalogue.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/refused.h"
#include "base/scratch_folder.h"
#include "formats/gguf.h"
#include "formats/model_image.h"

namespace ridgeline {
namespace {

using namespace gguf_image;

// A little llama in three parts: metadata and norms, the first layer, the second.
class SplitModel {
 public:
  SplitModel() {
    for (int i = 0; i < 3; ++i) parts[static_cast<size_t>(i)] = part(i);
  }
  static std::string name(int number, int count) { return fmt::format("m-{:05}-of-{:05}.gguf", number + 1, count); }
  static ModelImage part(int number) {
    ModelImage whole = ModelImage::llama(), m = number ? ModelImage::empty("llama") : whole;
    for (const auto& t : whole.tensors()) {
      int belongs = t.name.starts_with("blk.0.") ? 1 : t.name.starts_with("blk.1.") ? 2 : 0;
      if (belongs == number && number) m.tensor(t.name, t.ne);
      if (belongs != number && !number) m.without(t.name);
    }
    m.entry(".split.no", U16, raw(static_cast<uint16_t>(number)));
    m.entry(".split.count", U16, raw(uint16_t{3}));
    return m.entry(".split.tensors.count", I32, raw(int32_t{21}));
  }
  // Writes the parts that are there, and opens one.
  GgufFile open(int which = 0) const {
    for (auto& e : std::filesystem::directory_iterator(folder.path())) std::filesystem::remove(e);
    for (int i = 0; i < 3; ++i)
      if (const auto& p = parts[static_cast<size_t>(i)]) folder.write(name(i, 3), p->bytes());
    return GgufFile::open(folder / name(which, 3));
  }
  ::testing::AssertionResult bad(std::initializer_list<std::string_view> words, int which = 0) const {
    return refused(ExitCode::bad_data, "gguf_split", words, [&] { open(which); });
  }
  ScratchFolder folder;
  std::array<std::optional<ModelImage>, 3> parts;
};

TEST(GgufSplit, the_first_part_brings_the_others) {
  SplitModel split;
  GgufFile file = split.open();
  EXPECT_EQ(file.tensors().size(), 21u);
  EXPECT_EQ(file.files().size(), 3u);
  EXPECT_EQ(file.tensor("blk.1.ffn_up.weight").part, 2u);
  for (const auto& t : file.tensors()) {
    auto stored = *file.find(t.name);
    EXPECT_EQ(stored.file, file.files()[t.part]);
    EXPECT_EQ(stored.bytes.data(), stored.file->bytes().data() + t.offset);
  }
  uint64_t sum = 0;
  for (auto* f : file.files()) sum += f->bytes().size();
  EXPECT_EQ(file.file_bytes(), static_cast<int64_t>(sum));
  EXPECT_EQ(layers_of(read_model_config(file).config), 2);
}

TEST(GgufSplit, another_part_says_which_to_open) {
  SplitModel split;
  EXPECT_TRUE(split.bad({"part 2 of a model split into 3", "Open the first part", SplitModel::name(0, 3)}, 1));
}

TEST(GgufSplit, a_missing_part_is_named) {
  SplitModel split;
  split.parts[2].reset();
  EXPECT_TRUE(split.bad({"part 3 of 3 is missing", SplitModel::name(2, 3)}));
}

TEST(GgufSplit, parts_that_do_not_belong_together) {
  SplitModel split;
  split.parts[2] = SplitModel::part(1);  // split.no repeated
  EXPECT_TRUE(split.bad({SplitModel::name(2, 3), "part 2 of 3", "expected part 3 of 3"}));
  split.parts[2] = SplitModel::part(2).entry(".split.count", U16, raw(uint16_t{4}));
  EXPECT_TRUE(split.bad({"part 3 of 4"}));
  split.parts[2] = ModelImage::llama();
  EXPECT_TRUE(split.bad({"a whole model"}));
  split.parts[2] = SplitModel::part(2).entry(".split.tensors.count", I32, raw(int32_t{22}));
  EXPECT_TRUE(split.bad({"another model", "split.tensors.count"}));
  split.parts[2] = SplitModel::part(2).text(".general.architecture", "gpt2");
  EXPECT_TRUE(split.bad({"another model", "general.architecture"}));
  split.parts[2] = SplitModel::part(2).without("blk.1.ffn_up.weight");
  EXPECT_TRUE(split.bad({"20 tensors", "21"}));
}

TEST(GgufSplit, a_tensor_in_two_parts) {
  SplitModel split;
  split.parts[2] = SplitModel::part(2).without("blk.1.ffn_up.weight").tensor("blk.0.ffn_up.weight", {64, 96});
  EXPECT_TRUE(refused(ExitCode::bad_data, "gguf_duplicate_tensor", {"blk.0.ffn_up.weight"}, [&] { split.open(); }));
}

TEST(GgufSplit, a_part_that_is_damaged) {
  SplitModel split;
  split.open();
  std::string name = split.folder.write(SplitModel::name(1, 3), "GGUF");
  EXPECT_TRUE(refused(ExitCode::bad_data, "gguf_truncated", {name},
                      [&] { GgufFile::open(split.folder / SplitModel::name(0, 3)); }));
}

TEST(GgufSplit, counts_and_names) {
  SplitModel split;
  for (uint16_t count : {uint16_t{0}, uint16_t{65'535}}) {
    split.parts[0] = SplitModel::part(0).entry(".split.count", U16, raw(count));
    EXPECT_TRUE(split.bad({std::to_string(count), "1 to 1000"})) << count;
  }
  split.parts[0] = SplitModel::part(0).entry(".split.no", U16, raw(uint16_t{3}));
  EXPECT_TRUE(split.bad({"split.no is 3"}));
  split.parts[0] = SplitModel::part(0).text(".split.count", "3");
  EXPECT_TRUE(refused(ExitCode::bad_data, "gguf_key_type", {"split.count"}, [&] { split.open(); }));
  // Parts are looked for by the name of the first, never by what a file says.
  std::string other = split.folder.write("other.gguf", SplitModel::part(0).bytes());
  EXPECT_TRUE(refused(ExitCode::bad_data, "gguf_split", {"-00001-of-00003.gguf"}, [&] { GgufFile::open(other); }));
  std::string one =
      split.folder.write("one.gguf", ModelImage::llama().entry(".split.count", U16, raw(uint16_t{1})).bytes());
  EXPECT_EQ(GgufFile::open(one).tensors().size(), 21u);
}

}  // namespace
}  // namespace ridgeline
