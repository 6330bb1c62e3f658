#include "formats/json.h"

#include <gtest/gtest.h>

#include "base/scratch_folder.h"
#include "formats/refused.h"

namespace ridgeline {
namespace {

const JsonSource source{"config_json", "config.json"};
Json read(std::string_view text) { return read_json(text, source, {.bytes = 4096, .values = 100}); }
::testing::AssertionResult bad(std::string_view text, std::initializer_list<std::string_view> words = {}) {
  return refused(ExitCode::bad_data, "config_json", words, [&] { read(text); });
}

TEST(JsonText, is_read_whole) {
  Json j = read(" {\"a\":[1,-2,3.5,\"\\u00e9\",null,true],\"b\":{}} \n");
  EXPECT_EQ(j["a"][0].get<int>(), 1);
  EXPECT_EQ(j["a"][3].get<std::string>(), "é");
  EXPECT_TRUE(j["b"].is_object());
  EXPECT_TRUE(read("7").is_number());
}

TEST(JsonText, refuses_what_is_not_JSON) {
  for (auto text : {"", " ", "{", "{\"a\"}", "{\"a\":1,}", "[1 2]", "nul", "{} {}", "01", "1.", "\"a", "\"\n\"",
                    "{\"a\":Infinity}", "// x\n{}", "\"\\ud800\"", "\"\xff\""})
    EXPECT_TRUE(bad(text, {"config.json is not JSON", "byte"})) << text;
  EXPECT_TRUE(bad("{\"a\":1\x1b}", {"\\x1b"}));
  EXPECT_TRUE(bad(std::string_view("{}\0", 3)));
  EXPECT_TRUE(bad("\xEF\xBB\xBF{}", {"byte order mark"}));
  EXPECT_TRUE(bad("[1e400]", {"too large"}));
}

TEST(JsonText, refuses_keys_that_are_there_twice) {
  EXPECT_TRUE(bad("{\"a\":1,\"a\":1}", {"\"a\" twice"}));
  EXPECT_TRUE(bad("{\"b\":{\"a\":{},\"c\":[{}],\"a\":1}}", {"\"a\" twice"}));
  EXPECT_EQ(read("[{\"a\":1},{\"a\":{\"a\":2}}]").size(), 2u);
}

TEST(JsonText, is_bounded) {
  EXPECT_TRUE(bad(std::string(5000, ' ') + "1", {"5001 bytes", "4096"}));
  EXPECT_TRUE(bad(std::string(100, '[') + std::string(100, ']'), {"nested more than 64 deep"}));
  EXPECT_TRUE(bad(std::string(2000, '['), {"nested"}));
  std::string many = "[0";
  for (int i = 0; i < 300; i++) many += ",0";
  EXPECT_TRUE(bad(many + "]", {"more than 100 values"}));
}

TEST(JsonText, files_are_named) {
  ScratchFolder folder;
  EXPECT_EQ(read_json_file(folder.write("a.json", "[1]"), source).size(), 1u);
  std::string path = folder.write("b.json", "[1");
  EXPECT_TRUE(refused(ExitCode::bad_data, "config_json", {path}, [&] { read_json_file(path, source); }));
  path = folder.write("c.json", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
  EXPECT_TRUE(refused(ExitCode::bad_data, "lfs_pointer", {path}, [&] { read_json_file(path, source); }));
  EXPECT_TRUE(refused(ExitCode::cannot_open, "cannot_open", {}, [&] { read_json_file(folder / "d.json", source); }));
}

}  // namespace
}  // namespace ridgeline
