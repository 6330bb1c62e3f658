#include "formats/json_file.h"

#include <gtest/gtest.h>

#include "base/refused.h"
#include "base/scratch_folder.h"

namespace ridgeline {
namespace {

const JsonSource source{"config_json", "config.json"};

TEST(JsonFile, is_named) {
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
